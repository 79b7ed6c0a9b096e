package lines

var pings = Measurement{Name: "ping", Field: "average_response_ms", Unit: "ms", Target: "url", Sent: "packets_transmitted", Received: "packets_received"}
