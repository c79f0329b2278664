#include "parallel/heartbeats.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address_of(uint32_t address, uint16_t port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {address}, .sin_port = port};
}

/* The addresses of this host that others may reach. */
static void list_addresses(uint32_t addresses[HEARTBEAT_ADDRESSES]) {
    struct ifaddrs *all;
    int count = 0;
    memset(addresses, 0, HEARTBEAT_ADDRESSES * sizeof *addresses);
    if (getifaddrs(&all)) return;
    for (const struct ifaddrs *at = all; at && count < HEARTBEAT_ADDRESSES; at = at->ifa_next) {
        struct sockaddr_in address;
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
        if (!(at->ifa_flags & IFF_UP) || at->ifa_flags & IFF_LOOPBACK) continue;
        memcpy(&address, at->ifa_addr, sizeof address);
        addresses[count++] = address.sin_addr.s_addr;
    }
    freeifaddrs(all);
}

int heartbeats_open(HeartbeatPlace *place) {
    struct sockaddr_in any = address_of(htonl(INADDR_ANY), 0);
    socklen_t size = sizeof any;
    list_addresses(place->addresses);
    place->port = 0;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s < 0) return -1;
    if (bind(s, (struct sockaddr *)&any, size) || getsockname(s, (struct sockaddr *)&any, &size)) {
        close(s);
        return -1;
    }
    place->port = any.sin_port;
    return s;
}

void heartbeats_close(int *socket) {
    if (*socket >= 0) close(*socket);
    *socket = -1;
}

static void send_to(int socket, uint32_t address, uint16_t port, const void *data, int bytes) {
    const struct sockaddr_in to = address_of(address, port);
    /* what can't be sent counts as lost */
    (void)!sendto(socket, data, (size_t)bytes, 0, (const struct sockaddr *)&to, sizeof to);
}

void heartbeats_send(int socket, const HeartbeatPlace *mine, const HeartbeatPlace *to, const void *data,
                     int bytes) {
    if (socket < 0 || !to->port) return;
    if (!memcmp(mine->addresses, to->addresses, sizeof mine->addresses)) {
        send_to(socket, htonl(INADDR_LOOPBACK), to->port, data, bytes);
        return;
    }
    for (int a = 0; a < HEARTBEAT_ADDRESSES && to->addresses[a]; a++)
        send_to(socket, to->addresses[a], to->port, data, bytes);
}

int heartbeats_receive(int socket, void *data) {
    return socket < 0 ? -1 : (int)recv(socket, data, HEARTBEAT_BYTES, 0);
}
