-- Stores values whose keys still hold the revisions they were decided on, each for itself.
--
-- KEYS[n]      a customer's key; its value is eight bytes of revision and then the record
-- ARGV[3n-2]   the revision expected, eight bytes; empty: there is no record
-- ARGV[3n-1]   the new value, its own revision in front; empty: there is to be none
-- ARGV[3n]     milliseconds until the key may be forgotten; 0: never
--
-- Of each key, 1: stored. 0: somebody else was first, and nothing is written. A revision is made up anew for each
-- commit, so a commit that is sent twice finds its own and is harmless.
local outcomes = {}
for n, key in ipairs(KEYS) do
  local expected, value, keep = ARGV[3 * n - 2], ARGV[3 * n - 1], ARGV[3 * n]
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
return outcomes
