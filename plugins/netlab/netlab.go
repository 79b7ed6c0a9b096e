// Package netlab makes networks out of Linux network namespaces, for tests, scripts and benchmarks: what is sent
// in them reaches nothing else, because no namespace has a route out.
//
// Its layers, from the bottom:
//
//   - Namespace: a named network namespace; Do runs a function in it, Command a program; links, addresses, routes,
//     queues and counts are its methods.
//   - Lab: namespaces and the links between them, under names that nobody else uses, removed by Close. What a
//     killed process left behind the next New removes.
//   - Pair: a prober and a responder, of one or both families, joined by a veth, a chain of bridges, which can grow, a
//     WAN, links without a link header, or two ways of which one is for the replies. Its links can be given a rate.
//   - Population: which blocks of a target network answer, stay silent, answer late or with an ICMP error.
//   - responder: answers for the blocks for which a kernel will not do, on a TUN device.
//   - Sweep: a pair whose responder's kernel owns a /16 with such a population and, on request, an IPv6 /112. It
//     answers as fast as the prober asks.
//   - Wild: a pair behind whose responder a process serves networks of both families. A Behaviour, pure and seeded,
//     says what happens to each request: loss, delay, copies, turned bits, forgeries, other sources, ICMP errors. The
//     books say what was done, target by target. It bears 60,000 requests a second with delays on two cores, the
//     sender's work included; a reply leaves some milliseconds late then, never early.
//   - LAN: a prober on a segment full of hosts of both families, each with a MAC of its own, played by a goroutine.
//     Some block ICMP, forget the prober's MAC, or share an address.
//   - DelayLine: holds back echo requests by less than 100 µs, and says by how much it really did.
//   - Serialiser: makes what comes in over a link queue as on a slower one. Qdisc: a queue that overflows.
//   - WAN: a link with delay, jitter, loss, copies and reordering by a rule, carried frame by frame in user space. Its
//     books have the kernel's stamps of each frame's coming and leaving, and so the truth of each BFD echo: held for how
//     long there and back, or lost on which of the two. Half of the frames leave within some 10 µs of when they are due.
//   - BFDLab: two routers of both families, which loop BFD echoes back, joined by a veth, a bridge or a WAN.
//   - FRR and BIRD: BFD speakers in a namespace, with all their sockets in a directory of their own.
//   - Lasting: ties a lab to a test.
//
// It needs root and Linux; the serialiser needs TCX (Linux 6.6) and two CPUs. It leaves out the other programs that
// run in a lab (package parts gets them, package process runs them, package command is what our own commands share), and a
// population that a Wild network can play (package world), and nothing that ships may import it.
//
// All addresses are of 198.18.0.0/15 and 2001:2::/48, which RFC 2544 and RFC 5180 set aside for benchmarks.
package netlab
