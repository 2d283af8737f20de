-- One request a call: a point read of a random row, or the insert of one.
local kind, path, headers
local rows = 10000

function init(args)
  kind, path = args[1], args[2]
  math.randomseed(os.time())
end

function request()
  local body
  if kind == "read" then
    body = string.format('{"sql":"SELECT * FROM t WHERE id = ?","params":[%d]}', math.random(rows))
  else
    body = '{"sql":"INSERT INTO t (v) VALUES (?)","params":["a row of some forty letters, as many are"]}'
  end
  return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
end

function done(summary, latency)
  io.write(string.format("RESULT %.1f %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
