// A BFD session in one table: RTT of its echoes, margin to a failure, near misses and flaps, a row for each end and
// period. It runs on InfluxDB 1.8 with Flux and on 2.x.
//
// The row of an end tells what that end sends, as the tap sees it: detect_margin is true for the packets that the tap's
// own router receives; a router's echoes come back to itself, so that rtt_mean_ns is in its own row.
//
// Set these by the tags of your points. InfluxDB 1.8 calls a bucket database/retention policy, 2.x by its name.
bucket = "telegraf/autogen"
start = -1h
host = "router-a"
tap = "eth0"
ends = ["192.0.2.1", "192.0.2.2"]
// Where the tap is: RTTs are of the loop beyond it. initiator: the whole path; transit: the part beyond a mirror port.
role = "initiator"

from(bucket: bucket)
  |> range(start: start)
  |> filter(fn: (r) => r._measurement == "bfd_session" or r._measurement == "bfd_echo" and r.tap_role == role)
  |> filter(fn: (r) => r.host == host and r.tap == tap)
  |> filter(fn: (r) => contains(value: r.local, set: ends) and contains(value: r.peer, set: ends))
  |> filter(fn: (r) =>
    r._field == "rtt_mean_ns" or r._field == "echo_unanswered" or
    r._field == "detect_margin" or r._field == "near_misses" or r._field == "flaps")
  |> toFloat()
  |> group(columns: ["tap", "local", "peer"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> sort(columns: ["_time"])
