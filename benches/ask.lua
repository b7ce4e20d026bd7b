-- What wrk sends: asks for customers drawn evenly from a given number of them, by e-mail.
-- wrk … -s benches/ask.lua -- CUSTOMERS PURPOSE [SEED]
local customers, purpose, sent = 100000, "marketing", 0
local verdicts = { allow = 0, defer = 0, other = 0 }
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("seed", #threads)
end

function init(args)
  customers = tonumber(args[1]) or customers
  purpose = args[2] or purpose
  -- Another run must not meet the same customers again.
  math.randomseed((tonumber(args[3]) or os.time()) + seed * 7919)
  allow, defer, other = 0, 0, 0
end

function request()
  local body = string.format(
    '{"customer":"c-%d","channel":"email","purpose":"%s","delivery":"template","campaign":"autumn","sender":"bench"}',
    math.random(customers), purpose)
  return wrk.format("POST", "/v1/preflight", { ["content-type"] = "application/json" }, body)
end

function response(status, headers, body)
  if status ~= 200 then other = other + 1
  elseif body:find('"verdict":"allow"', 1, true) then allow = allow + 1
  else defer = defer + 1 end
end

function done(summary, latency, requests)
  local allowed, refused, failed = 0, 0, 0
  for _, thread in ipairs(threads) do
    allowed = allowed + thread:get("allow")
    refused = refused + thread:get("defer")
    failed = failed + thread:get("other")
  end
  io.write(string.format("RESULT %.0f %d %d %d %.2f %.2f\n", summary.requests / summary.duration * 1e6,
    allowed, refused, failed, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
