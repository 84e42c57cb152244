-- Sends one request for each id of the file IDS in turn: GET tasks/{id}, or with COMPLETE its completion.
-- Prints one line of JSON at the end.

local ids, position = {}, 0
local completes = os.getenv("COMPLETE") == "1"
local authorization = os.getenv("AUTHORIZATION")

for line in io.lines(os.getenv("IDS")) do
  ids[#ids + 1] = line
end

function request()
  position = position % #ids + 1
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = authorization }
  if not completes then
    return wrk.format("GET", "/api/tasks/" .. ids[position], headers)
  end
  local body = '{"user_id": "bob", "output_data": {"done": true}}'
  return wrk.format("POST", "/api/tasks/" .. ids[position] .. "/complete", headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "failed": %d, "median": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
