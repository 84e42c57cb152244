-- Asks for each address of the file ADDRESSES in turn; with COMPLETE it posts what completes a task.
-- Prints one line of JSON at the end.

local addresses, position = {}, 0
local completes = os.getenv("COMPLETE") == "1"
local authorization = os.getenv("AUTHORIZATION")

for line in io.lines(os.getenv("ADDRESSES")) do
  addresses[#addresses + 1] = line
end

function request()
  position = position % #addresses + 1
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = authorization }
  if not completes then
    return wrk.format("GET", addresses[position], headers)
  end
  local body = '{"user_id": "bob", "output_data": {"done": true}}'
  return wrk.format("POST", addresses[position], headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "failed": %d, "median": %.3f, "p99": %.3f}\n',
    summary.requests, summary.duration / 1e6,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
