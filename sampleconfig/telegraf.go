package sampleconfig

import _ "embed" // for the string below

// Telegraf is a whole configuration of a Telegraf that runs echogram and writes to InfluxDB.
//
//go:embed telegraf.conf
var Telegraf string
