package schema

import (
	"reflect"
	"strings"
	"testing"
)

// full returns one row of every kind with every field set, and its line.
// blockSeries has every tag that rows of blocks can have.
var blockSeries = BlockSeries{
	Host: "h", Instance: "i", Group: GroupBlock, Network: "192.0.2.0/23", Block: "192.0.2.0/24", Labels: []Tag{{"owner", "lab"}},
}

func full() []struct {
	row  Row
	line string
} {
	series := Series{
		Host: "prober-1", Instance: "lab", Network: "192.0.2.0/24", Block: "192.0.2.0/24", Target: "192.0.2.7",
		Name: "www.example.net", Size: "56", Labels: []Tag{{"site", "Hall 3, east"}},
	}
	const tags = `block=192.0.2.0/24,host=prober-1,instance=lab,name=www.example.net,network=192.0.2.0/24,site=Hall\ 3\,\ east,size=56,target=192.0.2.7`
	const at = 1_790_000_000_000_000_000
	counts := Counts{
		Sweeps: 6, Sent: 12, Received: 8, Lost: 1, Doubted: 2, PercentLost: 10, Late: 1, Duplicates: 1, Corrupt: 1,
		RTTMin: Some(10), RTTMean: Some(20), RTTMax: Some(30), RTTStddev: Some(40),
	}
	filtered := Filtered{N: 7, Cut: 1, Mean: Some(8), Stddev: Some(9), StdErr: Some(10), Floor: Some(11), Error: ErrorOK}
	const kept = `rtt_n=7i,rtt_cut=1i,rtt_kept_mean_ns=8i,rtt_kept_stddev_ns=9i,rtt_stderr_ns=10i,rtt_floor_ns=11i,rtt_error="ok"`
	const sums = `sweeps=6i,sent=12i,received=8i,lost=1i,doubted=2i,percent_lost=10,late=1i,duplicates=1i,corrupt=1i,rtt_min_ns=10i,rtt_mean_ns=20i,rtt_max_ns=30i,rtt_stddev_ns=40i`
	bfd := BFDSeries{
		Host: "h", Instance: "lab", Tap: "eth0", VLAN: "200.7", Tunnel: "vxlan", VNI: "5", OuterLocal: "198.51.100.1", OuterPeer: "198.51.100.2",
		Local: "192.0.2.1", Peer: "192.0.2.2", Hop: "single", Family: "ipv4", Parallel: "2", Labels: []Tag{{"site", "a"}},
	}
	echoes := BFDEchoSeries{BFDSeries: bfd, InitiatorMAC: "02:00:00:00:00:01", ReflectorMAC: "02:00:00:00:00:02", Layout: "frr-ts", TapRole: "transit"}
	return []struct {
		row  Row
		line string
	}{
		{
			&SweepRow{
				Series: series, Time: at, Sent: 3, Received: 1, RTT: Some(3142), RTTMin: Some(3000), RTTMax: Some(3300),
				RTTStddev: Some(12), TTL: Some(64), ResultCode: ResultAnswered, Late: 1, LateRTT: Some(1_200_000_000),
				Duplicates: 2, Corrupt: 1, Flipped: 3, FirstFlip: Some(17), ICMPType: Some(3), ICMPCode: Some(4), ErrorFrom: "192.0.2.1",
				MTU: Some(1400), MAC: "02:00:00:00:00:01", ARPRTT: Some(900), HostName: "www.example.net.",
				Percentiles: []Percentile{{50, Some(3100)}, {99, Some(3290)}},
			},
			`icmp_sweep,` + tags + ` sent=3i,received=1i,rtt_ns=3142i,rtt_min_ns=3000i,rtt_max_ns=3300i,rtt_stddev_ns=12i,ttl=64i,result_code=0i,late=1i,late_rtt_ns=1200000000i,duplicates=2i,corrupt=1i,flipped_bits=3i,first_flip=17i,icmp_type=3i,icmp_code=4i,error_from="192.0.2.1",mtu=1400i,mac="02:00:00:00:00:01",arp_rtt_ns=900i,hostname="www.example.net.",rtt_p50_ns=3100i,rtt_p99_ns=3290i 1790000000000000000`,
		},
		{
			&LateRow{Series: series, Time: at, Late: 1, LateRTT: Some(1_200_000_000)},
			`icmp_sweep,` + tags + ` late=1i,late_rtt_ns=1200000000i 1790000000000000000`,
		},
		{
			&SweepBlockRow{
				Host: "h", Instance: "lab", Network: "192.0.2.0/23", Block: "192.0.2.0/24", Time: at, Targets: 256,
				Responding: 64, PercentResponding: 25, Sent: 256, Received: 64, RTTMin: Some(1), RTTMean: Some(2),
				RTTMax: Some(6), RTTP50: Some(3), RTTP90: Some(4), RTTP99: Some(5), Joined: Some(0), Left: Some(7), Partial: true,
			},
			`icmp_sweep_block,block=192.0.2.0/24,host=h,instance=lab,network=192.0.2.0/23 targets=256i,responding=64i,percent_responding=25,sent=256i,received=64i,rtt_min_ns=1i,rtt_mean_ns=2i,rtt_max_ns=6i,rtt_p50_ns=3i,rtt_p90_ns=4i,rtt_p99_ns=5i,joined=0i,left=7i,partial=true 1790000000000000000`,
		},
		{
			&SweepStatsRow{
				Host: "h", Instance: "lab", Time: at, Points: 1, Targets: 2, Sent: 3, Received: 4, Late: 5, Duplicates: 6,
				Corrupt: 7, ICMPErrors: 8, OtherSource: 9, Foreign: 10, Unverified: 11, CaptureDrops: 12, CaptureFreezes: 13,
				SendErrors: 14, Unseen: 15, NeighbourFailures: 16, ClockStep: -17, Trust: "capture_drops,unseen", Duration: 18,
				Rate: 19.5, StampKind: "software", Partial: true, Skipped: 20, Unresolved: 21, QdiscDrops: 22, NICDrops: 23, NoRoom: 24,
				Order: "permuted", Seed: Some(25), Shard: "2/5",
				Link: LinkFacts{RXUsecs: Some(26), TXUsecs: Some(27), Adaptive: "on", EEE: "off", Governor: "performance"},
			},
			`icmp_sweep_stats,host=h,instance=lab points=1i,targets=2i,sent=3i,received=4i,late=5i,duplicates=6i,corrupt=7i,icmp_errors=8i,other_source=9i,foreign=10i,unverified=11i,capture_drops=12i,capture_freezes=13i,send_errors=14i,unseen=15i,neighbour_failures=16i,clock_step_ns=-17i,trust="capture_drops,unseen",duration_ns=18i,rate=19.5,stamp_kind="software",partial=true,skipped=20i,unresolved=21i,qdisc_drops=22i,nic_drops=23i,no_room=24i,order="permuted",seed=25i,shard="2/5",rx_usecs=26i,tx_usecs=27i,adaptive_coalescing="on",eee="off",governor="performance" 1790000000000000000`,
		},
		{
			&StatsLateRow{Host: "h", Instance: "lab", Time: at, Late: 5},
			`icmp_sweep_stats,host=h,instance=lab late=5i 1790000000000000000`,
		},
		{
			&SampleRow{Series: series, Time: at, Sweep: at, Probe: 2, RTT: Some(9), TTL: Some(63), Late: true, ResultCode: 1},
			`icmp_sample,` + tags + ` sweep=1790000000000000000i,probe=2i,rtt_ns=9i,ttl=63i,late=true,result_code=1i 1790000000000000000`,
		},
		{
			&PingRow{
				URL: "www.example.net", Host: "h", Time: at, Transmitted: 4, Received: 3, TTL: Some(64),
				RTTMin: Some(1_000_000), RTTMean: Some(1_500_000), RTTMax: Some(2_000_000), RTTStddev: Some(12_345),
				Percentiles: []Percentile{{95, Some(2_000_000)}},
			},
			`ping,host=h,url=www.example.net result_code=0i,packets_transmitted=4i,packets_received=3i,percent_packet_loss=25,ttl=64i,minimum_response_ms=1,average_response_ms=1.5,maximum_response_ms=2,standard_deviation_ms=0.012345,percentile95_ms=2 1790000000000000000`,
		},
		{
			&SweepRollupRow{
				Series: series, Window: "1h", Time: at, Counts: counts, RTTQuantiles: RTTQuantiles{Some(1), Some(2), Some(3)},
				Filtered: filtered, TTLMin: Some(61), TTLMax: Some(62), Complete: true, Missing: 0,
			},
			`icmp_sweep_rollup,` + tags + `,window=1h ` + sums + `,rtt_p50_ns=1i,rtt_p90_ns=2i,rtt_p99_ns=3i,` + kept + `,ttl_min=61i,ttl_max=62i,complete=true,missing=0i 1790000000000000000`,
		},
		{
			&BlockRollupRow{
				Host: "h", Instance: "lab", Network: "192.0.2.0/24", Block: "192.0.2.0/24", Size: "56", Labels: []Tag{{"site", "a"}},
				Window: "1m", Time: at, Targets: 256, Responding: 255, Points: 1536, Counts: counts,
				RTTQuantiles: RTTQuantiles{Some(1), Some(2), Some(3)}, Complete: false, Missing: 4,
			},
			`icmp_sweep_block_rollup,block=192.0.2.0/24,host=h,instance=lab,network=192.0.2.0/24,site=a,size=56,window=1m targets=256i,responding=255i,points=1536i,` + sums + `,rtt_p50_ns=1i,rtt_p90_ns=2i,rtt_p99_ns=3i,complete=false,missing=4i 1790000000000000000`,
		},
		{
			&NetworkRollupRow{
				Host: "h", Instance: "lab", Network: "192.0.0.0/16", Size: "56", Labels: []Tag{{"site", "a"}},
				Window: "1d", Time: at, Blocks: 256, Targets: 65536, Responding: 255, Points: 1536, Counts: counts,
				RTTQuantiles: RTTQuantiles{Some(1), Some(2), Some(3)}, Complete: true,
			},
			`icmp_sweep_network_rollup,host=h,instance=lab,network=192.0.0.0/16,site=a,size=56,window=1d blocks=256i,targets=65536i,responding=255i,points=1536i,` + sums + `,rtt_p50_ns=1i,rtt_p90_ns=2i,rtt_p99_ns=3i,complete=true,missing=0i 1790000000000000000`,
		},
		{
			&RTTRollupRow{
				Of: "http_response", Tags: []Tag{{"host", "h"}, {"server", "http://www.example.net"}}, Window: "1h", Time: at, Points: 60,
				Sent: Some(60), Received: Some(59), Lost: Some(1), PercentLost: OptFloat{1.5, true},
				RTTMin: Some(10), RTTMean: Some(20), RTTMax: Some(30), RTTStddev: Some(40),
				RTTQuantiles: RTTQuantiles{Some(1), Some(2), Some(3)}, Filtered: filtered,
			},
			`http_response_rollup,host=h,server=http://www.example.net,window=1h points=60i,sent=60i,received=59i,lost=1i,percent_lost=1.5,rtt_min_ns=10i,rtt_mean_ns=20i,rtt_max_ns=30i,rtt_stddev_ns=40i,rtt_p50_ns=1i,rtt_p90_ns=2i,rtt_p99_ns=3i,` + kept + ` 1790000000000000000`,
		},
		{
			&PathEstimateRow{
				Host: "h", Instance: "lab", Target: "192.0.2.7", Reference: "192.0.2.1", Labels: []Tag{{"site", "a"}}, Time: at,
				Probes: 2000, Kept: 1990, RTT: Some(1), RTTStdErr: Some(2), Floor: Some(3), TTL: Some(64), Verdict: VerdictTold, Reason: "x",
				Hops: Some(3), HopsConfidence: OptFloat{0.5, true}, HopsRunnerUp: Some(4), HopsBy: "slope",
				Slope: OptFloat{1.5, true}, SlopeStdErr: OptFloat{0.5, true}, LinkRate: Some(1e9),
				Offset: Some(5), OffsetLow: Some(-6), OffsetHigh: Some(7),
				Cable: OptFloat{8.5, true}, CableLow: OptFloat{9.5, true}, CableHigh: OptFloat{10.5, true},
			},
			`path_estimate,host=h,instance=lab,reference=192.0.2.1,site=a,target=192.0.2.7 probes=2000i,kept=1990i,rtt_ns=1i,rtt_stderr_ns=2i,rtt_floor_ns=3i,ttl=64i,verdict="told",reason="x",hops=3i,hops_confidence=0.5,hops_runner_up=4i,hops_by="slope",slope_ns_per_byte=1.5,slope_stderr_ns_per_byte=0.5,link_rate=1000000000i,offset_ns=5i,offset_low_ns=-6i,offset_high_ns=7i,cable_m=8.5,cable_low_m=9.5,cable_high_m=10.5 1790000000000000000`,
		},
		{
			&PathShiftRow{
				Series: series, Window: "1h", Time: at, Kind: ShiftStep, Step: Some(1), StepLow: Some(2), StepHigh: Some(3),
				Before: Some(4), After: Some(5), Hops: OptFloat{6.5, true}, Cable: OptFloat{7.5, true}, TTLBefore: Some(63), TTLAfter: Some(62),
			},
			`path_shift,` + tags + `,window=1h kind="step",step_ns=1i,step_low_ns=2i,step_high_ns=3i,before_ns=4i,after_ns=5i,hops=6.5,cable_m=7.5,ttl_before=63i,ttl_after=62i 1790000000000000000`,
		},
		{
			&BFDSessionRow{
				BFDSeries: bfd, Time: at, State: "Up", StateCode: 2, Diagnostic: "Path Down", DiagnosticCode: 4,
				Discriminator: 5, PeerDiscriminator: 6, DesiredMinTX: 7, RequiredMinRX: 8, RequiredMinEchoRX: 9,
				DetectMult: 10, Interval: Some(11), DetectionTime: Some(12), Demand: true, AuthType: 14, TTL: 15, Padding: 16,
				Packets: 17, Invalid: 18, Truncated: 19, Mirrored: 20, Polls: 21, Finals: 22,
				Intervals: Intervals{Count: 23, Min: Some(24), Mean: Some(25), Max: Some(26), Stddev: Some(27), RatioMin: OptFloat{28.5, true}, RatioMax: OptFloat{29.5, true}, Late: 30, LateMax: Some(31), Early: 32, EarlyMax: Some(33)},
				Missing:   34, MissingSequence: Some(35), MaxGap: Some(36), DetectMargin: OptFloat{37.5, true}, NearMisses: 38,
				ControlRTT: Some(39), ControlRTTMin: Some(40), ControlRTTMax: Some(41), ControlRTTs: 42, Transitions: 43,
				Flaps: 44, FlapsTotal: 45, Outage: Some(46), DetectionMeasured: Some(47), DiscriminatorChange: 48,
				NoJitter: 49, TooFast: 50, TooSlow: 51, FastWhileDown: 52, UnansweredPoll: 53, BadTTL: 54, BadSourcePort: 55,
				SlowTimerEcho: 56, SequenceJumps: 57, Partial: true,
			},
			`bfd_session,af=ipv4,hop=single,host=h,instance=lab,local=192.0.2.1,outer_local=198.51.100.1,outer_peer=198.51.100.2,parallel=2,peer=192.0.2.2,site=a,tap=eth0,tunnel=vxlan,vlan=200.7,vni=5 state="Up",state_code=2i,diagnostic="Path Down",diagnostic_code=4i,discriminator=5i,peer_discriminator=6i,desired_min_tx_ns=7i,required_min_rx_ns=8i,required_min_echo_rx_ns=9i,detect_mult=10i,interval_ns=11i,detection_time_ns=12i,demand=true,auth_type=14i,ttl=15i,padding=16i,control_packets=17i,invalid=18i,truncated=19i,mirrored=20i,polls=21i,finals=22i,intervals=23i,interval_min_ns=24i,interval_mean_ns=25i,interval_max_ns=26i,interval_stddev_ns=27i,interval_ratio_min=28.5,interval_ratio_max=29.5,late=30i,late_max_ns=31i,early=32i,early_max_ns=33i,control_missing=34i,control_missing_sequence=35i,max_gap_ns=36i,detect_margin=37.5,near_misses=38i,control_rtt_ns=39i,control_rtt_min_ns=40i,control_rtt_max_ns=41i,control_rtts=42i,transitions=43i,flaps=44i,flaps_total=45i,outage_ns=46i,detection_time_measured_ns=47i,discriminator_changes=48i,conformance_no_jitter=49i,conformance_too_fast=50i,conformance_too_slow=51i,conformance_fast_while_down=52i,conformance_unanswered_poll=53i,conformance_ttl=54i,conformance_source_port=55i,conformance_echo_slow_timer=56i,conformance_sequence=57i,partial=true 1790000000000000000`,
		},
		{
			&BFDEchoRow{
				BFDEchoSeries: echoes, Time: at, Discriminator: Some(1), Sent: 2, Returned: 3, Unanswered: 4, Duplicates: 5,
				Reordered: 6, Unmatched: 7, Ambiguous: 8, Mirrored: 9, InFlight: 10, Window: 11, Pairing: "aligned",
				RTTMin: Some(13), RTTMean: Some(14), RTTP50: Some(15), RTTP95: Some(16), RTTP99: Some(17), RTTMax: Some(18),
				RTTStddev: Some(19), PDVP50: Some(20), PDVP95: Some(21), PDVP99: Some(22), PDVMax: Some(23), IPDVMin: Some(24),
				IPDVMean: Some(25), IPDVMax: Some(26), RTTFull: Some(27), Jitter: Some(28), DelayVarP50: Some(29),
				DelayVarP95: Some(30), DelayVarMax: Some(31),
				Intervals: Intervals{Count: 32, Min: Some(33), Mean: Some(34), Max: Some(35), Stddev: Some(36), RatioMin: OptFloat{37.5, true}, RatioMax: OptFloat{38.5, true}, Late: 39, LateMax: Some(40), Early: 41, EarlyMax: Some(42)},
				NotUp:     43, Refused: 44, TooFast: 45, Partial: true,
			},
			`bfd_echo,af=ipv4,hop=single,host=h,initiator_mac=02:00:00:00:00:01,instance=lab,layout=frr-ts,local=192.0.2.1,outer_local=198.51.100.1,outer_peer=198.51.100.2,parallel=2,peer=192.0.2.2,reflector_mac=02:00:00:00:00:02,site=a,tap=eth0,tap_role=transit,tunnel=vxlan,vlan=200.7,vni=5 discriminator=1i,echo_packets_sent=2i,echo_packets_returned=3i,echo_unanswered=4i,echo_duplicates=5i,echo_reordered=6i,echo_unmatched=7i,ambiguous=8i,mirrored=9i,in_flight=10i,window_ns=11i,pairing="aligned",rtt_min_ns=13i,rtt_mean_ns=14i,rtt_p50_ns=15i,rtt_p95_ns=16i,rtt_p99_ns=17i,rtt_max_ns=18i,rtt_stddev_ns=19i,pdv_p50_ns=20i,pdv_p95_ns=21i,pdv_p99_ns=22i,pdv_max_ns=23i,ipdv_min_ns=24i,ipdv_mean_abs_ns=25i,ipdv_max_ns=26i,rtt_full_ns=27i,jitter_ns=28i,delay_variation_p50_ns=29i,delay_variation_p95_ns=30i,delay_variation_max_ns=31i,intervals=32i,interval_min_ns=33i,interval_mean_ns=34i,interval_max_ns=35i,interval_stddev_ns=36i,interval_ratio_min=37.5,interval_ratio_max=38.5,late=39i,late_max_ns=40i,early=41i,early_max_ns=42i,conformance_echo_not_up=43i,conformance_echo_refused=44i,conformance_echo_too_fast=45i,partial=true 1790000000000000000`,
		},
		{
			&BFDEchoRTTRow{
				BFDEchoSeries: echoes, Time: at, RTT: Some(1), Interval: Some(2), IntervalRatio: OptFloat{3.5, true},
				Discriminator: Some(4), Sequence: Some(5), Pairing: "aligned",
			},
			`bfd_echo_rtt,af=ipv4,hop=single,host=h,initiator_mac=02:00:00:00:00:01,instance=lab,layout=frr-ts,local=192.0.2.1,outer_local=198.51.100.1,outer_peer=198.51.100.2,parallel=2,peer=192.0.2.2,reflector_mac=02:00:00:00:00:02,site=a,tap=eth0,tap_role=transit,tunnel=vxlan,vlan=200.7,vni=5 rtt_ns=1i,interval_ns=2i,interval_ratio=3.5,discriminator=4i,sequence=5i,pairing="aligned",answered=true 1790000000000000000`,
		},
		{
			&BFDEventRow{
				BFDSeries: bfd, Event: "flap", Time: at, Text: "left Up", From: "Up", To: "Down", DiagnosticCode: Some(5),
				Diagnostic: "Path Down", PeerDiagnostic: "No Diagnostic", PeerState: "Down", Gap: Some(9), Missed: Some(10),
				DetectionTime: Some(11), DetectionMeasured: Some(12), Outage: Some(13), Discriminator: Some(14),
			},
			`bfd_event,af=ipv4,event=flap,hop=single,host=h,instance=lab,local=192.0.2.1,outer_local=198.51.100.1,outer_peer=198.51.100.2,parallel=2,peer=192.0.2.2,site=a,tap=eth0,tunnel=vxlan,vlan=200.7,vni=5 text="left Up",from="Up",to="Down",diagnostic_code=5i,diagnostic="Path Down",peer_diagnostic="No Diagnostic",peer_state="Down",gap_ns=9i,missed=10i,detection_time_ns=11i,detection_time_measured_ns=12i,outage_ns=13i,discriminator=14i 1790000000000000000`,
		},
		{
			&BFDStatsRow{
				Host: "h", Instance: "lab", Labels: []Tag{{"site", "a"}}, Time: at, Packets: 3, Control: 4, Echo: 5,
				Mirrored: 6, OtherFrames: 7, QuotedInICMP: 8, Truncated: 9, Fragments: 10, Disordered: 11, CaptureDrops: 12,
				Sessions: 13, EchoStreams: 14, NoRoom: 15, EventsLeftOut: 25, Forgotten: 16, InvalidVersion: 17, InvalidLength: 18,
				InvalidPayloadLength: 19, InvalidDetectMult: 20, InvalidMultipoint: 21, InvalidMyDiscr: 22,
				InvalidYourDiscr: 23, InvalidAuth: 24, Partial: true,
			},
			`bfd_stats,host=h,instance=lab,site=a packets=3i,control_packets=4i,echo_packets=5i,mirrored=6i,other_frames=7i,icmp=8i,truncated=9i,fragments=10i,disordered=11i,capture_drops=12i,sessions=13i,echo_streams=14i,no_room=15i,forgotten=16i,events_left_out=25i,invalid_version=17i,invalid_length=18i,invalid_payload_length=19i,invalid_detect_mult=20i,invalid_multipoint=21i,invalid_my_discriminator=22i,invalid_your_discriminator=23i,invalid_authentication=24i,partial=true 1790000000000000000`,
		},
		{
			&BlockStateRow{
				BlockSeries: blockSeries, Time: at, Sweeps: 1, Doubted: 2, Targets: 3, Ever: 4, PercentResponding: 5.5, RespondingMin: 6,
				RespondingMax: 7, State: StateUp, Belief: OptFloat{0.75, true}, Availability: OptFloat{0.5, true}, Volatility: OptFloat{0.25, true},
				Uptime: Some(8), Class: UseSometimes, Always: 9, Sometimes: 10, Intermittent: 11, Underused: 12, RateLimited: true, RTTP50: Some(13),
			},
			`block_state,block=192.0.2.0/24,group=block,host=h,instance=i,network=192.0.2.0/23,owner=lab sweeps=1i,doubted=2i,targets=3i,ever=4i,percent_responding=5.5,responding_min=6i,responding_max=7i,state="up",belief=0.75,availability=0.5,volatility=0.25,uptime_p50_ns=8i,class="sometimes",always=9i,sometimes=10i,intermittent=11i,underused=12i,rate_limited=true,rtt_p50_ns=13i 1790000000000000000`,
		},
		{
			&BlockOutageRow{
				BlockSeries: blockSeries, Event: EventRenumbering, Time: at, Prefix: "192.0.2.0/25", Open: true, Duration: 1, Uncertain: 2, Addresses: 3,
				Answering: 4, Blocks: 5, BeliefLow: 0.5, To: "198.51.100.0/24", Reason: "moved",
			},
			`block_outage,block=192.0.2.0/24,event=renumbering,group=block,host=h,instance=i,network=192.0.2.0/23,owner=lab prefix="192.0.2.0/25",open=true,duration_ns=1i,uncertain_ns=2i,addresses=3i,answering=4i,blocks=5i,belief_low=0.5,to="198.51.100.0/24",reason="moved" 1790000000000000000`,
		},
		{
			&BlockChurnRow{
				BlockSeries: blockSeries, Time: at, Days: 1, Addresses: 2, Peak: 3, Joined: 4, Left: 5, Sessions: 6, SessionP50: Some(7), SessionP90: Some(8),
				Static: 9, Dynamic: 10, Class: ChurnDHCP, Renumbered: 11, RenumberingHour: OptFloat{3.5, true}, Period: Some(12),
			},
			`block_churn,block=192.0.2.0/24,group=block,host=h,instance=i,network=192.0.2.0/23,owner=lab days=1i,addresses=2i,peak=3i,joined=4i,left=5i,sessions=6i,session_p50_ns=7i,session_p90_ns=8i,static=9i,dynamic=10i,class="dhcp",renumbered=11i,renumbering_hour=3.5,renumbering_period_ns=12i 1790000000000000000`,
		},
		{
			&BlockDailyRow{
				BlockSeries: blockSeries, Target: "192.0.2.1", Time: at, Days: 1, Targets: 2, Slots: 3, RTTFloor: Some(4), Amplitude: Some(5), LatencyClass: DailyMild,
				LatencyHour: OptFloat{20.5, true}, AvailabilityClass: DiurnalStrict, AvailabilityHour: OptFloat{11.5, true},
				AvailabilitySwing: OptFloat{40.5, true}, Timezone: "UTC",
			},
			`block_daily,block=192.0.2.0/24,group=block,host=h,instance=i,network=192.0.2.0/23,owner=lab,target=192.0.2.1 days=1i,targets=2i,slots=3i,rtt_floor_ns=4i,amplitude_ns=5i,latency_class="mild",latency_hour=20.5,availability_class="strict",availability_hour=11.5,availability_swing=40.5,timezone="UTC" 1790000000000000000`,
		},
	}
}

func TestRowsBothWays(t *testing.T) {
	for _, c := range full() {
		got, err := AppendLine(nil, c.row)
		if err != nil {
			t.Fatalf("%T: %v", c.row, err)
		}
		if string(got) != c.line+"\n" {
			t.Errorf("%T is written as\n%swant\n%s", c.row, got, c.line)
		}
		back := reflect.New(reflect.TypeOf(c.row).Elem()).Interface().(Row)
		if r, ok := back.(*RTTRollupRow); ok {
			r.Of = c.row.(*RTTRollupRow).Of // it says which measurement is to be read
		}
		if err := ParseLine(got, back); err != nil {
			t.Fatalf("%T: %v", c.row, err)
		}
		if !reflect.DeepEqual(back, c.row) {
			t.Errorf("%T comes back as\n%+v, want\n%+v", c.row, back, c.row)
		}
	}
}

func TestEveryKindOfRowIsTested(t *testing.T) {
	tested := map[reflect.Type]bool{}
	for _, c := range full() {
		tested[reflect.TypeOf(c.row)] = true
	}
	for _, r := range Rows() {
		if !tested[reflect.TypeOf(r)] {
			t.Errorf("%T is not among the full rows", r)
		}
	}
}

func TestSilentTargetHasNoRTT(t *testing.T) {
	row := &SweepRow{Series: Series{Block: "192.0.2.0/24", Target: "192.0.2.1"}, Time: 5, Sent: 1, ResultCode: ResultSilent}
	got, err := AppendLine(nil, row)
	if err != nil {
		t.Fatal(err)
	}
	const want = "icmp_sweep,block=192.0.2.0/24,target=192.0.2.1 sent=1i,received=0i,result_code=1i 5\n"
	if string(got) != want {
		t.Errorf("got %swant %s", got, want)
	}
}

func TestReadRefusesAnotherType(t *testing.T) {
	err := ParseLine([]byte(`icmp_sweep,target=192.0.2.1 sent=1 5`), &SweepRow{})
	if err == nil || !strings.Contains(err.Error(), "sent") {
		t.Errorf("a float for sent gives %v", err)
	}
	if err := ParseLine([]byte(`ping sent=1i 5`), &SweepRow{}); err == nil {
		t.Error("another measurement is taken")
	}
}

func TestReadIgnoresFieldsOfNewerWriters(t *testing.T) {
	var r SweepRow
	if err := ParseLine([]byte(`icmp_sweep,target=192.0.2.1 sent=1i,jitter_ns=5i 5`), &r); err != nil || r.Sent != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestSetTagKeepsOrder(t *testing.T) {
	var p Point
	for _, k := range []string{"m", "a", "z", "m"} {
		p.SetTag(k, k+"1")
	}
	p.SetTag("a", "")
	if want := []Tag{{"m", "m1"}, {"z", "z1"}}; !reflect.DeepEqual(p.Tags, want) {
		t.Errorf("got %v, want %v", p.Tags, want)
	}
}

func TestAny(t *testing.T) {
	for _, c := range []struct {
		in   any
		want Field
	}{
		{int64(1), Int("k", 1)}, {int8(-2), Int("k", -2)}, {uint16(3), Int("k", 3)}, {1.5, Float("k", 1.5)},
		{float32(0.5), Float("k", 0.5)}, {true, Bool("k", true)}, {"s", String("k", "s")},
	} {
		if got, err := Any("k", c.in); err != nil || got != c.want {
			t.Errorf("Any(%T) = %+v, %v", c.in, got, err)
		}
	}
	if _, err := Any("k", []int{1}); err == nil {
		t.Error("a slice is taken")
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	row := full()[0].row
	var p Point
	line := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		Fill(&p, row)
		line, _ = p.AppendLine(line[:0])
	})
	if n != 0 {
		t.Errorf("writing a row allocates %v times", n)
	}
}

func BenchmarkAppendLine(b *testing.B) {
	row := full()[0].row
	var p Point
	var line []byte
	for b.Loop() {
		Fill(&p, row)
		line, _ = p.AppendLine(line[:0])
	}
}

func BenchmarkParse(b *testing.B) {
	line := []byte(full()[0].line)
	var p Point
	var row SweepRow
	for b.Loop() {
		if p.Parse(line) != nil || Read(&p, &row) != nil {
			b.Fatal("refused")
		}
	}
}
