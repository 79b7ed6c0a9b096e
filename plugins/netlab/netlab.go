// Package netlab makes networks out of Linux network namespaces, for tests, scripts and benchmarks: what is sent
// in them reaches nothing else, because no namespace has a route out.
//
// Its layers, from the bottom:
//
//   - Namespace: a named network namespace; Do runs a function in it, Command a program.
//   - Lab: namespaces and the links between them, under names that nobody else uses, removed by Close. What a
//     killed process left behind the next New removes.
//   - Population: which blocks of a target network answer, stay silent, answer late or with an ICMP error.
//   - responder: answers for the blocks for which a kernel will not do, on a TUN device.
//   - Sweep: a prober and a responder that owns a /16 with such a population.
//
// It needs root and Linux. It leaves out the programs that run in a lab (package parts gets them, package process
// runs them), and nothing that ships may import it.
//
// All addresses are of 198.18.0.0/15, which RFC 2544 sets aside for benchmarks.
package netlab
