// Command soak runs echogram below a real Telegraf for a long time at 20,000 requests a second, and tells whether its
// memory stays flat and whether anything is lost. Start it by scripts/soak, which builds it.
//
// Its layers: main_linux.go (flags, signals, exit code), run_linux.go (the lab, the parts and their undoing),
// tally.go (what comes out of Telegraf), memory.go (RSS over time), report.go (the verdict). Nothing in it knows how a
// sweep works.
package main
