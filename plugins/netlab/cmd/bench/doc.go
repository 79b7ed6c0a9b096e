// Command bench measures echogram against its peers and against the kernel, side by side in one lab, and prints a
// table. Start it by scripts/bench, which builds it and installs the peers.
//
// Its layers: main_linux.go (flags, signals, exit code), sweep_linux.go (bench sweep: the rounds, the RTTs),
// prepare_linux.go (what is built, the lab, who can run), contenders_linux.go (who sweeps, and by which command line),
// run_linux.go (one run: time, CPU, memory), counter_linux.go and rate.go (requests a second, from the interface's own
// counter), found_linux.go (whom a contender found, from what it wrote), report.go and table.go (medians, ratios, the
// table, JSON), machine.go (on what it ran), limit/limit.c (the bare C loop, compiled at the start).
//
// bench bfd needs no lab: bfd_linux.go (the rounds), bfdtraffic.go (the files), bfdreaders.go (who reads), bfdloop.go
// (what is measured of our own library), bfdrun_linux.go (one run), bfdreport.go (medians, ratios, the table).
//
// bench pipeline needs none either: pipeline_linux.go (the rounds), pipelineday.go (the points), pipelinestore_linux.go
// (the files that all read), pipelineacts_linux.go (who reads, and by which command line), pipelineinflux_linux.go (an
// InfluxDB that is watched), pipelineflux.go (who writes back what Flux has computed), pipelinereport.go (medians,
// ratios, the tables).
//
// bench blocks: blocks_linux.go (worlds through the pipeline), blocksreport.go (the tables). What it is set against knows
// plugins/netlab/world. child_linux.go runs a program and takes its time and memory for all of these.
//
// All who sweep run in the prober's namespace and are measured by the same rulers from outside. It has no opinion on
// what is fast enough, and nothing in it knows how a sweep works.
package main
