// Package rules holds the tests of what no compiler checks: who may import whom, what the commands link, what the
// repository's folders are. Each failure gives the rule's reason. There is nothing in it to import.
package rules
