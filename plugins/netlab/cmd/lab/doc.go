// Command lab brings up one of the labs in which path inference and block analytics are put to the test, for a person to
// try: a chain of bridges, a delay line, links of a known rate, a link with milliseconds, loss and outliers, or a network
// whose hosts come and go. Start it by scripts/lab, which builds it.
//
// Its layers: spec.go (what is wanted, from the arguments), main_linux.go (flags, exit code), up_linux.go (the lab, its
// end, and what is said of both), world_linux.go (the population, live). It measures nothing itself.
package main
