-- Stores a record if the customer's revision is still the one it was decided on.
--
-- KEYS[1]  the customer's key; its value is eight bytes of revision and then the record
-- ARGV[1]  the revision expected, eight bytes; empty: there is no record
-- ARGV[2]  the new value, its own revision in front; empty: there is to be none
-- ARGV[3]  milliseconds until the key may be forgotten; 0: never
--
-- 1: stored. 0: somebody else was first, and nothing is written. A revision is made up anew for each
-- commit, so a commit that is sent twice finds its own and is harmless.
local held = redis.call('GETRANGE', KEYS[1], 0, 7)
if held ~= ARGV[1] and held ~= string.sub(ARGV[2], 1, 8) then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
elseif ARGV[3] == '0' then
  redis.call('SET', KEYS[1], ARGV[2])
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
