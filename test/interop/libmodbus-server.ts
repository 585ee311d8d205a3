/**
 * A server made of libmodbus: it packs and unpacks with the functions and macros of that library, and
 * answers with `modbus_reply`. The protocol on its standard input is that of {@link PeerProcess}.
 */
export const libmodbusSource = `
#include <byteswap.h>
#include <errno.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

static modbus_mapping_t *map;

/* Registers with the most significant one first become those of the order, and back. */
static void reorder(uint16_t *r, int n, const char *order) {
    if (order[0] == 'C' || order[0] == 'D')
        for (int i = 0; i < n / 2; i++) { uint16_t x = r[i]; r[i] = r[n - 1 - i]; r[n - 1 - i] = x; }
    if (order[0] == 'B' || order[0] == 'D')
        for (int i = 0; i < n; i++) r[i] = bswap_16(r[i]);
}

static void set_float(const char *order, float f, uint16_t *r) {
    if (order[0] == 'A') modbus_set_float_abcd(f, r);
    else if (order[0] == 'B') modbus_set_float_badc(f, r);
    else if (order[0] == 'C') modbus_set_float_cdab(f, r);
    else modbus_set_float_dcba(f, r);
    /* Up to 3.1.6 it puts bytes where registers belong: on little-endian machines each is swapped. */
    uint16_t probe[2];
    modbus_set_float_abcd(1.5f, probe);
    if (probe[0] == 0xc03f) reorder(r, 2, "BADC");
}

static float get_float(const char *order, const uint16_t *r) {
    if (order[0] == 'A') return modbus_get_float_abcd(r);
    if (order[0] == 'B') return modbus_get_float_badc(r);
    if (order[0] == 'C') return modbus_get_float_cdab(r);
    return modbus_get_float_dcba(r);
}

static uint64_t get64(const uint16_t *r) {
    return (uint64_t)MODBUS_GET_INT64_FROM_INT16(r, 0);
}

static void set(uint16_t *to, const char *kind, const char *order, const char *text) {
    uint16_t r[4];
    int n = 4, high, low;
    double d;
    uint64_t bits;
    if (!strcmp(kind, "float32")) { set_float(order, strtof(text, NULL), to); return; }
    if (!strcmp(kind, "text")) {
        uint8_t raw[8];
        for (int i = 0; i < 8; i++) { unsigned b; sscanf(text + 2 * i, "%2x", &b); raw[i] = b; }
        for (int i = 0; i < 4; i++) {
            r[i] = MODBUS_GET_INT16_FROM_INT8(raw, 2 * i);
            reorder(&r[i], 1, order);
        }
        memcpy(to, r, 8);
        return;
    }
    if (kind[1] == 's' || kind[1] == 'u') {
        sscanf(text, "%d,%d", &high, &low);
        r[0] = (uint16_t)((high & 0xff) << 8 | (low & 0xff));
        n = 1;
    } else if (!strcmp(kind, "float64")) {
        d = strtod(text, NULL);
        memcpy(&bits, &d, 8);
        MODBUS_SET_INT64_TO_INT16(r, 0, bits);
    } else {
        bits = kind[0] == 'u' ? strtoull(text, NULL, 10) : (uint64_t)strtoll(text, NULL, 10);
        if (strstr(kind, "64")) MODBUS_SET_INT64_TO_INT16(r, 0, bits);
        else if (strstr(kind, "32")) { MODBUS_SET_INT32_TO_INT16(r, 0, bits); n = 2; }
        else { r[0] = (uint16_t)bits; n = 1; }
    }
    reorder(r, n, order);
    memcpy(to, r, n * sizeof *r);
}

static void get(const uint16_t *from, const char *kind, const char *order) {
    uint16_t r[4];
    int n = strstr(kind, "64") || !strcmp(kind, "text") ? 4 : strstr(kind, "32") ? 2 : 1;
    if (!strcmp(kind, "float32")) { printf("%.9g\\n", get_float(order, from)); return; }
    memcpy(r, from, n * sizeof *r);
    if (!strcmp(kind, "text")) {
        uint8_t raw[8];
        for (int i = 0; i < 4; i++) {
            reorder(&r[i], 1, order);
            MODBUS_SET_INT16_TO_INT8(raw, 2 * i, r[i]);
        }
        for (int i = 0; i < 8; i++) printf("%02x", raw[i]);
        printf("\\n");
        return;
    }
    reorder(r, n, order);
    if (kind[1] == 's' || kind[1] == 'u') {
        int high = MODBUS_GET_HIGH_BYTE(r[0]), low = MODBUS_GET_LOW_BYTE(r[0]);
        printf("%d,%d\\n", kind[0] == 's' ? (int8_t)high : high, kind[1] == 's' ? (int8_t)low : low);
    } else if (!strcmp(kind, "float64")) {
        uint64_t bits = get64(r);
        double d;
        memcpy(&d, &bits, 8);
        printf("%.17g\\n", d);
    } else if (!strcmp(kind, "int16")) printf("%d\\n", (int16_t)r[0]);
    else if (!strcmp(kind, "uint16")) printf("%u\\n", r[0]);
    else if (!strcmp(kind, "int32")) printf("%d\\n", (int32_t)MODBUS_GET_INT32_FROM_INT16(r, 0));
    else if (!strcmp(kind, "uint32")) printf("%u\\n", (uint32_t)MODBUS_GET_INT32_FROM_INT16(r, 0));
    else if (!strcmp(kind, "int64")) printf("%lld\\n", (long long)get64(r));
    else printf("%llu\\n", (unsigned long long)get64(r));
}

/* One line in, one line out. */
static void command(char *line) {
    char verb[8], table[8], kind[16], order[16], text[4096] = "";
    int at;
    if (sscanf(line, "%7s %7s %d %15s %15s %4095s", verb, table, &at, kind, order, text) < 5) {
        printf("error: %s\\n", line);
    } else if (!strcmp(kind, "bits")) {
        uint8_t *b = (table[0] == 'c' ? map->tab_bits : map->tab_input_bits) + at;
        if (verb[0] == 's') { for (size_t i = 0; text[i]; i++) b[i] = text[i] == '1'; printf("ok\\n"); }
        else { for (int i = 0; i < atoi(order); i++) printf("%d", b[i]); printf("\\n"); }
    } else {
        uint16_t *r = (table[0] == 'h' ? map->tab_registers : map->tab_input_registers) + at;
        if (verb[0] == 's') { set(r, kind, order, text); printf("ok\\n"); }
        else get(r, kind, order);
    }
    fflush(stdout);
}

/* Lines that have come; 0 at the end of the input. */
static int commands(void) {
    static char held[1 << 16];
    static size_t size;
    ssize_t n = read(0, held + size, sizeof held - size - 1);
    if (n <= 0) return 0;
    size += n;
    held[size] = 0;
    char *at = held, *end;
    for (; (end = strchr(at, '\\n')); at = end + 1) { *end = 0; command(at); }
    size -= at - held;
    memmove(held, at, size);
    return 1;
}

static int serve(modbus_t *ctx) {
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    int n = modbus_receive(ctx, query);
    if (n > 0) return modbus_reply(ctx, query, n, map) >= 0 ? 1 : 0;
    if (n < 0 && errno == ECONNRESET) return -1;
    if (n < 0) modbus_flush(ctx);
    return 0;
}

int main(int argc, char **argv) {
    int tcp = argc > 1 && !strcmp(argv[1], "tcp"), listener = -1, line = -1, port = 0;
    modbus_t *ctx = tcp ? modbus_new_tcp("127.0.0.1", 0) : modbus_new_rtu(argv[2], 9600, 'N', 8, 1);
    map = modbus_mapping_new(2200, 2200, 2200, 2200);
    if (!ctx || !map) return 2;
    modbus_set_slave(ctx, 3);
    if (tcp) {
        struct sockaddr_in a;
        socklen_t size = sizeof a;
        listener = modbus_tcp_listen(ctx, 4);
        getsockname(listener, (struct sockaddr *)&a, &size);
        port = ntohs(a.sin_port);
    } else if (modbus_connect(ctx) < 0) {
        fprintf(stderr, "%s: %s\\n", argv[2], modbus_strerror(errno));
        return 3;
    } else line = modbus_get_socket(ctx);
    printf("ready %d\\n", port);
    fflush(stdout);
    for (;;) {
        fd_set set;
        int watched = line >= 0 ? line : listener;
        FD_ZERO(&set);
        FD_SET(0, &set);
        FD_SET(watched, &set);
        if (select(watched + 1, &set, NULL, NULL, NULL) < 0) return 4;
        if (FD_ISSET(0, &set) && !commands()) return 0;
        if (!FD_ISSET(watched, &set)) continue;
        if (line < 0) line = modbus_tcp_accept(ctx, &listener);
        else if (serve(ctx) < 0 && tcp) { modbus_close(ctx); line = -1; }
    }
}
`;
