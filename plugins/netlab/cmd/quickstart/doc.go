// Command quickstart runs the whole way of the data on one machine, through real parts, and checks the outcome: a
// network in namespaces with a BFD session on its link and an outage in it, echogram below a real Telegraf, a real
// InfluxDB, echogram-pipeline, and queries. Start it by scripts/quickstart, which builds it.
//
// Its layers: main_linux.go (flags, signals, exit code), screen.go (what the user sees), run_linux.go (the steps and
// their undoing), bfd_linux.go and outage_linux.go (what the lab has besides targets), config.go (the sample
// configurations with our values), measure_linux.go (queries), report.go (what the lab promises, compared with what was
// measured), draw_linux.go (what was found, and the report). It measures no speed, and nothing in it knows how a
// sweep works.
package main
