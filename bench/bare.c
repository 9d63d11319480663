/* A bare client for the echo loads: what the system's calls alone cost, with no JavaScript, checks or metrics.
 *
 *     cc -O2 -o /tmp/bare bench/bare.c
 *     python bench/bench.py --runner /tmp/bare --vs k6 --only echo-50,echo-500,binary-1k
 *
 * It takes bench.py's flags. Like jsrunner it has one process per core, waits with epoll, and per message calls recv and
 * send once each. A runner of scripts that uses the same calls cannot be cheaper.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAD_BYTES = 14, EVENTS = 256, RECEIVE_BYTES = 1 << 20 };

struct client {
    int descriptor;
    size_t received, wanted;
    long rounds_left, iterations_left;
};

static int port;
static long rounds = 1000, size = 64;
static unsigned char *frame;
static size_t frame_bytes, answer_bytes;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Make the masked frame that is sent again and again. The server's answer has no mask. */
static void make_frame(int opcode)
{
    static const unsigned char MASK[4] = {1, 2, 3, 4};
    frame = malloc((size_t)size + HEAD_BYTES);
    if (!frame) fail("malloc");
    size_t at = 2;
    frame[0] = (unsigned char)(0x80 | opcode);
    frame[1] = (unsigned char)(0x80 | (size < 126 ? size : size < 65536 ? 126 : 127));
    for (int bytes = size < 126 ? 0 : size < 65536 ? 2 : 8; bytes--;) frame[at++] = (unsigned char)(size >> 8 * bytes);
    answer_bytes = at + (size_t)size;
    memcpy(frame + at, MASK, sizeof MASK);
    at += sizeof MASK;
    for (long i = 0; i < size; i++) frame[at + (size_t)i] = 'x' ^ MASK[i % 4];
    frame_bytes = at + (size_t)size;
}

static void send_all(int descriptor, const void *data, size_t count)
{
    for (size_t at = 0; at < count;) {
        ssize_t sent = send(descriptor, (const char *)data + at, count - at, MSG_NOSIGNAL);
        if (sent < 0) fail("send");
        at += (size_t)sent;
    }
}

/* Connect, shake hands, and send the first frame. */
static void begin(struct client *client, int poller)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    client->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client->descriptor, (struct sockaddr *)&server, sizeof server) < 0) fail("connect");
    setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    char text[4096];
    int length = snprintf(text, sizeof text,
                          "GET /echo HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          port);
    send_all(client->descriptor, text, (size_t)length);
    if (recv(client->descriptor, text, sizeof text, 0) <= 0) fail("handshake");
    client->received = 0;
    client->rounds_left = rounds;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, client->descriptor, &event) < 0) fail("epoll_ctl");
    send_all(client->descriptor, frame, frame_bytes);
}

static void run(long clients, long iterations)
{
    struct client *all = calloc((size_t)clients, sizeof *all);
    char *buffer = malloc(RECEIVE_BYTES);
    int poller = epoll_create1(0);
    struct epoll_event events[EVENTS];
    if (!all || !buffer || poller < 0) fail("run");
    for (long i = 0; i < clients; i++) {
        all[i].iterations_left = iterations / clients;
        begin(&all[i], poller);
    }
    for (long running = clients; running;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            ssize_t received = recv(client->descriptor, buffer, RECEIVE_BYTES, 0);
            if (received <= 0) fail("recv");
            client->received += (size_t)received;
            if (client->received < answer_bytes) continue;
            client->received = 0;
            if (--client->rounds_left) {
                send_all(client->descriptor, frame, frame_bytes);
                continue;
            }
            close(client->descriptor);
            if (--client->iterations_left) begin(client, poller);
            else running--;
        }
    }
    exit(0);
}

int main(int count, char **arguments)
{
    long vus = 1, iterations = 1;
    for (int i = 1; i < count; i++) {
        const char *word = arguments[i], *colon = strrchr(word, ':');
        if (!strncmp(word, "WS_URL=", 7) && colon) port = atoi(colon + 1);
        else if (!strncmp(word, "ROUNDS=", 7)) rounds = atol(word + 7);
        else if (!strncmp(word, "SIZE=", 5)) size = atol(word + 5);
        else if (!strcmp(word, "--vus") && i + 1 < count) vus = atol(arguments[++i]);
        else if (!strcmp(word, "--iterations") && i + 1 < count) iterations = atol(arguments[++i]);
    }
    make_frame(strstr(arguments[count - 1], "binary") ? 2 : 1);
    long processes = sysconf(_SC_NPROCESSORS_ONLN);
    if (processes > vus) processes = vus;
    for (long i = 0; i < processes; i++)
        if (fork() == 0) run(vus / processes, iterations / processes);
    for (int status; wait(&status) > 0;)
        if (status) return 1;
    printf("iterations...: %ld\n", iterations);
    return 0;
}
