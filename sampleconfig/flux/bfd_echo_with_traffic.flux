// RTT of BFD echoes beside the traffic of the link that they were sent on: bfd_echo of a live tap joined with Telegraf's
// inputs.net, whose tag "interface" is the tap, a row for each stream of echoes and period. It runs on InfluxDB 1.8 with
// Flux and on 2.x.
//
// What it shows: whether RTT rises while traffic does, which says that packets wait, on the echoes' path, not
// necessarily at this interface. What it cannot show: capacity. Echoes of one size do not tell the speed of a link from
// its fixed delay, nor how much of it is free.
//
// Set these by the tags of your points, and period as in [[inputs.bfd]]; inputs.net best some times a period. InfluxDB 1.8
// calls a bucket database/retention policy, 2.x by its name.
bucket = "telegraf/autogen"
start = -1h
period = 10s
host = "router-a"
tap = "eth0"
// Where the tap is: RTTs are of the loop beyond it. initiator: the whole path; transit: the part beyond a mirror port.
role = "initiator"

echo = from(bucket: bucket)
  |> range(start: start)
  |> filter(fn: (r) => r._measurement == "bfd_echo" and r.host == host and r.tap == tap and r.tap_role == role)
  |> filter(fn: (r) => r._field == "rtt_min_ns" or r._field == "rtt_mean_ns" or r._field == "rtt_p95_ns" or r._field == "echo_unanswered")
  |> group(columns: ["local", "peer"])
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()

// Counters to bit/s. A rate bears the time of the later of its two samples: a nanosecond earlier, one that ends with a
// period is of that period. Rows of BFD bear the time at which their period starts.
traffic = from(bucket: bucket)
  |> range(start: start)
  |> filter(fn: (r) => r._measurement == "net" and r.host == host and r.interface == tap)
  |> filter(fn: (r) => r._field == "bytes_recv" or r._field == "bytes_sent")
  |> toFloat()
  |> derivative(unit: 1s, nonNegative: true)
  |> map(fn: (r) => ({r with _value: r._value * 8.0, _field: if r._field == "bytes_recv" then "in_bit_s" else "out_bit_s"}))
  |> timeShift(duration: -1ns)
  |> group(columns: ["_field"])
  |> aggregateWindow(every: period, fn: mean, timeSrc: "_start", createEmpty: false)
  |> group()
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")

join(tables: {echo: echo, traffic: traffic}, on: ["_time"])
  |> drop(columns: ["_start", "_stop"])
  |> group(columns: ["local", "peer"])
  |> sort(columns: ["_time"])
