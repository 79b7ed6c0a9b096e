package schema

import "fmt"

// anyCode stands for the codes of a type that have no words of their own.
const anyCode = -1

// icmpWords are those of ICMPv4's types and codes: RFC 792, RFC 1122 (3.2.2.1), RFC 1812 (5.2.7.1).
var icmpWords = map[[2]int]string{
	{3, 0}:        "network unreachable",
	{3, 1}:        "host unreachable",
	{3, 2}:        "protocol unreachable",
	{3, 3}:        "port unreachable",
	{3, 4}:        "fragmentation needed",
	{3, 5}:        "source route failed",
	{3, 6}:        "network unknown",
	{3, 7}:        "host unknown",
	{3, 8}:        "source host isolated",
	{3, 9}:        "network prohibited",
	{3, 10}:       "host prohibited",
	{3, 11}:       "network unreachable for this type of service",
	{3, 12}:       "host unreachable for this type of service",
	{3, 13}:       "communication prohibited",
	{3, 14}:       "host precedence violation",
	{3, 15}:       "precedence cutoff",
	{4, anyCode}:  "source quench",
	{11, 0}:       "TTL exceeded",
	{11, 1}:       "fragments not reassembled in time",
	{12, anyCode}: "parameter problem",
}

// icmp6Words are those of ICMPv6: RFC 4443.
var icmp6Words = map[[2]int]string{
	{1, 0}:       "no route",
	{1, 1}:       "communication prohibited",
	{1, 2}:       "beyond scope of source address",
	{1, 3}:       "address unreachable",
	{1, 4}:       "port unreachable",
	{1, 5}:       "source address failed policy",
	{1, 6}:       "route rejected",
	{2, anyCode}: "packet too big",
	{3, 0}:       "hop limit exceeded",
	{3, 1}:       "fragments not reassembled in time",
	{4, anyCode}: "parameter problem",
}

// ErrorText says in words what an ICMP error of a type and code says, of ICMPv6 if v6, or in numbers where there are
// no words.
func ErrorText(kind, code uint8, v6 bool) string {
	words := icmpWords
	if v6 {
		words = icmp6Words
	}
	for _, c := range []int{int(code), anyCode} {
		if s, ok := words[[2]int{int(kind), c}]; ok {
			return s
		}
	}
	return fmt.Sprintf("ICMP error %d/%d", kind, code)
}
