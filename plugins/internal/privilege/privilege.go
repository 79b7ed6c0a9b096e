// Package privilege is the kernel edge that gives capabilities up, on every thread of the process. It is for
// commands: a plugin that lives inside a Telegraf leaves its host's privileges alone.
package privilege

// Remedy is what a person does when CAP_NET_RAW is missing; %s is the path of the binary.
const Remedy = "grant it with: setcap cap_net_raw+ep %s   (or in the systemd unit that starts it: AmbientCapabilities=CAP_NET_RAW)"
