// Package parts gets the real programs that tests and scripts run against, at fixed versions: Telegraf with just
// the plugins that we use, Telegraf with our inputs compiled in, InfluxDB 1.8 with Flux.
//
// Its layers, from the bottom:
//
//   - Builder: builds a part with the Go tool into a cache outside the repository, once for each version, set of
//     build tags and architecture; a lock keeps two runs side by side apart.
//   - Influx: a running InfluxDB on free loopback ports, and the little of its API that tests need.
//   - Agent: a running Telegraf.
//
// It leaves out our own commands, which must not come from a cache, and clients for products: those are the
// pipeline's. Nothing of it is linked into what we ship, and no part is in our go.mod.
package parts
