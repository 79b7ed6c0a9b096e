// The bare rate of a machine: sends N ICMP echo requests by sendmmsg, 128 at a time, through a raw ICMP socket or
// AF_PACKET, while a TPACKET_V3 ring counts the requests and replies that pass the interface. No cookie, no
// matching, no rows, and no PACKET_QDISC_BYPASS, whose frames no capture sees.
//
//	limit INTERFACE raw|packet N FIRST_TARGET SOURCE GATEWAY_MAC OWN_MAC
//
// N targets follow each other from FIRST_TARGET. One line on STDOUT: sent= seconds= requests= replies= drops=
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 128, PAYLOAD = 12, BLOCK = 1 << 20, BLOCKS = 64, QUIET_US = 300000, ID = 777 };

static atomic_int stop;
static long requests, replies, drops; // the counting thread's, read after it has ended

static void die(const char *what) {
	perror(what);
	exit(1);
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

// checksum is that of RFC 1071; n is even.
static unsigned short checksum(const void *data, int n) {
	const unsigned short *p = data;
	unsigned long sum = 0;
	for (; n > 0; n -= 2) sum += *p++;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return ~sum;
}

static struct sockaddr_ll link_address(unsigned index, int protocol) {
	return (struct sockaddr_ll){.sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = index};
}

static int ring_fd;
static char *ring;

static void open_ring(unsigned index) {
	struct tpacket_req3 r = {.tp_block_size = BLOCK, .tp_block_nr = BLOCKS, .tp_frame_size = 2048,
	                         .tp_frame_nr = BLOCK / 2048 * BLOCKS, .tp_retire_blk_tov = 10};
	struct sockaddr_ll here = link_address(index, ETH_P_ALL); // ETH_P_ALL: both directions
	int version = TPACKET_V3;
	ring_fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (setsockopt(ring_fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version)) die("PACKET_VERSION");
	if (setsockopt(ring_fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r)) die("PACKET_RX_RING");
	ring = mmap(0, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	if (ring == MAP_FAILED) die("mmap");
	if (bind(ring_fd, (void *)&here, sizeof here)) die("bind");
}

static void count_block(struct tpacket_block_desc *d) {
	struct tpacket3_hdr *h = (void *)((char *)d + d->hdr.bh1.offset_to_first_pkt);
	for (unsigned i = 0; i < d->hdr.bh1.num_pkts; i++, h = (void *)((char *)h + h->tp_next_offset)) {
		unsigned char *ip = (unsigned char *)h + h->tp_net;
		if (ip[0] != 0x45 || ip[9] != IPPROTO_ICMP) continue;
		requests += ip[20] == ICMP_ECHO;
		replies += ip[20] == ICMP_ECHOREPLY;
	}
}

static void *count(void *unused) {
	struct pollfd p = {ring_fd, POLLIN, 0};
	for (int b = 0;;) {
		struct tpacket_block_desc *d = (void *)(ring + (size_t)b * BLOCK);
		if (!(__atomic_load_n(&d->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
			if (stop) break;
			poll(&p, 1, 20);
			continue;
		}
		count_block(d);
		__atomic_store_n(&d->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		b = (b + 1) % BLOCKS;
	}
	struct tpacket_stats_v3 st;
	socklen_t size = sizeof st;
	if (!getsockopt(ring_fd, SOL_PACKET, PACKET_STATISTICS, &st, &size)) drops = st.tp_drops;
	return unused;
}

// One frame on its way out; a raw socket sends only what stands behind the two headers.
struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct icmphdr icmp;
	unsigned char payload[PAYLOAD];
	unsigned char pad[60 - 14 - 20 - 8 - PAYLOAD];
} __attribute__((packed));

static void fill(struct frame *f, unsigned target, unsigned seq) {
	f->ip.daddr = htonl(target);
	f->ip.check = 0;
	f->ip.check = checksum(&f->ip, sizeof f->ip);
	f->icmp.un.echo.sequence = htons(seq);
	f->icmp.checksum = 0;
	f->icmp.checksum = checksum(&f->icmp, sizeof f->icmp + PAYLOAD);
}

static void send_all(int fd, struct mmsghdr *m, int n) {
	for (int done = 0; done < n;) {
		int r = sendmmsg(fd, m + done, n - done, 0);
		if (r > 0) done += r;
		else if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("sendmmsg");
	}
}

int main(int argc, char **argv) {
	if (argc != 8) return fprintf(stderr, "usage: limit INTERFACE raw|packet N FIRST_TARGET SOURCE GATEWAY_MAC OWN_MAC\n"), 2;
	unsigned index = if_nametoindex(argv[1]);
	int packet = !strcmp(argv[2], "packet"), n = atoi(argv[3]);
	unsigned first = ntohl(inet_addr(argv[4]));
	struct ether_addr to, own;
	if (!index || !ether_aton_r(argv[6], &to) || !ether_aton_r(argv[7], &own)) return fprintf(stderr, "limit: bad interface or MAC\n"), 2;

	open_ring(index);
	pthread_t counter;
	if (pthread_create(&counter, 0, count, 0)) die("pthread_create");

	// An AF_PACKET socket of protocol 0 sees nothing; a raw one is told to block every ICMP type.
	int fd = packet ? socket(AF_PACKET, SOCK_RAW, 0) : socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	int block_all = -1, buffer = 8 << 20;
	if (fd < 0) die("socket");
	if (!packet && setsockopt(fd, SOL_RAW, 1 /* ICMP_FILTER */, &block_all, sizeof block_all)) die("ICMP_FILTER");
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);

	static struct frame frames[BATCH];
	static struct sockaddr_in to4[BATCH];
	static struct iovec io[BATCH];
	static struct mmsghdr mm[BATCH];
	struct sockaddr_ll out = link_address(index, ETH_P_IP);
	for (int i = 0; i < BATCH; i++) {
		struct frame *f = &frames[i];
		memcpy(f->eth.ether_dhost, &to, 6);
		memcpy(f->eth.ether_shost, &own, 6);
		f->eth.ether_type = htons(ETH_P_IP);
		f->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP, .saddr = inet_addr(argv[5]),
		                       .tot_len = htons(sizeof f->ip + sizeof f->icmp + PAYLOAD)};
		f->icmp = (struct icmphdr){.type = ICMP_ECHO, .un.echo.id = htons(ID)};
		to4[i].sin_family = AF_INET;
		io[i] = packet ? (struct iovec){f, sizeof *f} : (struct iovec){&f->icmp, sizeof f->icmp + PAYLOAD};
		mm[i].msg_hdr = (struct msghdr){.msg_iov = &io[i], .msg_iovlen = 1};
		mm[i].msg_hdr.msg_name = packet ? (void *)&out : (void *)&to4[i];
		mm[i].msg_hdr.msg_namelen = packet ? sizeof out : sizeof to4[i];
	}

	double begin = now();
	for (int i = 0; i < n;) {
		int k = 0;
		for (; k < BATCH && i < n; k++, i++) {
			fill(&frames[k], first + i, i);
			to4[k].sin_addr.s_addr = frames[k].ip.daddr;
		}
		send_all(fd, mm, k);
	}
	double took = now() - begin;
	usleep(QUIET_US);
	stop = 1;
	pthread_join(counter, 0);
	printf("sent=%d seconds=%.6f requests=%ld replies=%ld drops=%ld\n", n, took, requests, replies, drops);
}
