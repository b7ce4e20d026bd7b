-- Stores values whose keys still hold the revisions they were decided on, each for itself; and notes, with those that are
-- stored, when somebody is owed something.
--
-- KEYS[n]      a customer's key; its value is eight bytes of revision and then the record
-- ARGV[1]      how many such keys there are
-- ARGV[3n-1]   the revision expected, eight bytes; empty: there is no record
-- ARGV[3n]     the new value, its own revision in front; empty: there is to be none
-- ARGV[3n+1]   milliseconds until the key may be forgotten; 0: never
--
-- and where there are notes, a last key, the sorted set of who is owed something, and in ARGV of each note three more: the
-- n it belongs to, the customer, and when it is due, in milliseconds; empty: nothing is owed.
--
-- Of each key, 1: stored. 0: somebody else was first, and nothing is written. A revision is made up anew for each
-- commit, so a commit that is sent twice finds its own and is harmless.
local count = tonumber(ARGV[1])
local outcomes = {}
for n = 1, count do
  local key, expected, value, keep = KEYS[n], ARGV[3 * n - 1], ARGV[3 * n], ARGV[3 * n + 1]
  local held = redis.call('GETRANGE', key, 0, 7)
  if held ~= expected and held ~= string.sub(value, 1, 8) then
    outcomes[n] = 0
  else
    if value == '' then
      redis.call('DEL', key)
    elseif keep == '0' then
      redis.call('SET', key, value)
    else
      redis.call('SET', key, value, 'PX', keep)
    end
    outcomes[n] = 1
  end
end
for note = 3 * count + 2, #ARGV, 3 do
  local n, customer, at = tonumber(ARGV[note]), ARGV[note + 1], ARGV[note + 2]
  if outcomes[n] == 1 then
    if at == '' then
      redis.call('ZREM', KEYS[count + 1], customer)
    else
      redis.call('ZADD', KEYS[count + 1], at, customer)
    end
  end
end
return outcomes
