import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from '../support/child.js';
import { Helper } from '../support/helper.js';
import type { UaServerOptions } from '../support/opcua-server.js';
import { scratch, type Cleanup } from '../support/scratch.js';
import type { ServerKind } from './opcua-plant.js';
import { compile, openssl } from './peer-process.js';

/**
 * A server made of open62541, a stack that shares nothing with ours: one node of every type under the ids
 * of the other test server. It speaks the protocol of {@link Helper} on its standard input, and is told:
 * `set NAME NUMBER STATUS`, `value NAME`, `count MS`, `load`, `dropSessions`, `stepClock MS`, `stop`.
 * Arguments: port, certificate, key (DER), most sessions, namespaces before that of the nodes.
 */
const open62541Source = `
#include <open62541/plugin/accesscontrol_default.h>
#include <open62541/plugin/certificategroup_default.h>
#include <open62541/plugin/log_stdout.h>
#include <open62541/server.h>
#include <open62541/server_config_default.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static UA_Server *server;
static UA_UInt16 ns;
static UA_UInt32 counted;
static UA_UInt64 counting;
static UA_Int64 shift;

static UA_DateTime (*real_now)(UA_EventLoop *);
static UA_DateTime shifted_now(UA_EventLoop *loop) { return real_now(loop) + shift; }

/* Sessions, to be dropped as by a server that forgets them. */
static UA_NodeId sessions[16];
static size_t session_count;
static UA_StatusCode (*activate)(UA_Server *, UA_AccessControl *, const UA_EndpointDescription *,
    const UA_ByteString *, const UA_NodeId *, const UA_ExtensionObject *, void **);
static UA_StatusCode activate_noted(UA_Server *s, UA_AccessControl *ac, const UA_EndpointDescription *e,
    const UA_ByteString *cert, const UA_NodeId *id, const UA_ExtensionObject *token, void **context) {
    UA_StatusCode code = activate(s, ac, e, cert, id, token, context);
    if (code != UA_STATUSCODE_GOOD) return code;
    for (size_t i = 0; i < session_count; i++) if (UA_NodeId_equal(&sessions[i], id)) return code;
    if (session_count < 16) UA_NodeId_copy(id, &sessions[session_count++]);
    return code;
}

static UA_ByteString load(const char *path) {
    UA_ByteString bytes = UA_BYTESTRING_NULL;
    FILE *file = fopen(path, "rb");
    if (!file) return bytes;
    fseek(file, 0, SEEK_END);
    UA_ByteString_allocBuffer(&bytes, (size_t)ftell(file));
    rewind(file);
    if (fread(bytes.data, 1, bytes.length, file) != bytes.length) UA_ByteString_clear(&bytes);
    fclose(file);
    return bytes;
}

static UA_NodeId node(char *name) { return UA_NODEID_STRING(ns, name); }

static void add(UA_NodeId parent, char *name, UA_Variant value, UA_NodeId type, UA_Int32 rank) {
    UA_VariableAttributes attr = UA_VariableAttributes_default;
    UA_UInt32 dimension = 0;
    attr.value = value;
    attr.dataType = type;
    attr.valueRank = rank;
    if (rank == 1) { attr.arrayDimensions = &dimension; attr.arrayDimensionsSize = 1; }
    attr.displayName = UA_LOCALIZEDTEXT("en", name);
    attr.accessLevel = UA_ACCESSLEVELMASK_READ | UA_ACCESSLEVELMASK_WRITE;
    UA_StatusCode code = UA_Server_addVariableNode(server, node(name), parent, UA_NS0ID(ORGANIZES),
        UA_QUALIFIEDNAME(ns, name), UA_NS0ID(BASEDATAVARIABLETYPE), attr, NULL, NULL);
    if (code != UA_STATUSCODE_GOOD) { fprintf(stderr, "%s: %s\\n", name, UA_StatusCode_name(code)); exit(1); }
}

static void scalar(UA_NodeId parent, char *name, void *value, int type) {
    UA_Variant v;
    UA_Variant_setScalar(&v, value, &UA_TYPES[type]);
    add(parent, name, v, UA_TYPES[type].typeId, -1);
}

static void fill(void) {
    UA_NodeId line = UA_NODEID_STRING(ns, "Line");
    UA_Server_addObjectNode(server, line, UA_NS0ID(OBJECTSFOLDER), UA_NS0ID(ORGANIZES),
        UA_QUALIFIEDNAME(ns, "Line"), UA_NS0ID(FOLDERTYPE), UA_ObjectAttributes_default, NULL, NULL);
    UA_Boolean yes = true; scalar(line, "Boolean", &yes, UA_TYPES_BOOLEAN);
    UA_SByte i8 = -128; scalar(line, "SByte", &i8, UA_TYPES_SBYTE);
    UA_Byte u8 = 255; scalar(line, "Byte", &u8, UA_TYPES_BYTE);
    UA_Int16 i16 = -32768; scalar(line, "Int16", &i16, UA_TYPES_INT16);
    UA_UInt16 u16 = 65535; scalar(line, "UInt16", &u16, UA_TYPES_UINT16);
    UA_Int32 i32 = INT32_MIN; scalar(line, "Int32", &i32, UA_TYPES_INT32);
    UA_UInt32 u32 = 4294967295u; scalar(line, "UInt32", &u32, UA_TYPES_UINT32);
    UA_Int64 i64 = INT64_MIN + 1; scalar(line, "Int64", &i64, UA_TYPES_INT64);
    UA_UInt64 u64 = UINT64_MAX - 1; scalar(line, "UInt64", &u64, UA_TYPES_UINT64);
    UA_Float f = 1.5f; scalar(line, "Float", &f, UA_TYPES_FLOAT);
    UA_Double d = 3.141592653589793; scalar(line, "Double", &d, UA_TYPES_DOUBLE);
    UA_String text = UA_STRING("F\\xc3\\xb6rderband \\xe5\\xb8\\xa6"); scalar(line, "String", &text, UA_TYPES_STRING);
    /* 2026-02-03T04:05:06.789Z */
    UA_DateTime time = UA_DateTime_fromUnixTime(1770091506) + 789 * UA_DATETIME_MSEC;
    scalar(line, "DateTime", &time, UA_TYPES_DATETIME);
    UA_Guid guid = UA_GUID("72962B91-FA75-4AE6-8D28-B404DC7DAF63"); scalar(line, "Guid", &guid, UA_TYPES_GUID);
    UA_Byte raw[] = {0, 1, 254, 255};
    UA_ByteString bytes = {4, raw}; scalar(line, "ByteString", &bytes, UA_TYPES_BYTESTRING);
    UA_LocalizedText local = UA_LOCALIZEDTEXT("de", "L\\xc3\\xa4uft"); scalar(line, "LocalizedText", &local, UA_TYPES_LOCALIZEDTEXT);
    UA_QualifiedName name = UA_QUALIFIEDNAME(1, "Speed"); scalar(line, "QualifiedName", &name, UA_TYPES_QUALIFIEDNAME);
    UA_NodeId id = UA_NODEID_STRING(1, "Elsewhere"); scalar(line, "NodeId", &id, UA_TYPES_NODEID);
    UA_Range range = {-5, 80}; scalar(line, "Range", &range, UA_TYPES_RANGE);
    scalar(line, "count", &counted, UA_TYPES_UINT32);
    UA_Variant v;
    UA_Double doubles[] = {1, 2, 3};
    UA_Variant_setArray(&v, doubles, 3, &UA_TYPES[UA_TYPES_DOUBLE]);
    add(line, "Doubles", v, UA_TYPES[UA_TYPES_DOUBLE].typeId, 1);
    UA_UInt64 longs[] = {1, 4294967296u};
    UA_Variant_setArray(&v, longs, 2, &UA_TYPES[UA_TYPES_UINT64]);
    add(line, "UInt64s", v, UA_TYPES[UA_TYPES_UINT64].typeId, 1);
}

static void count(UA_Server *s, void *data) {
    (void)s; (void)data;
    counted++;
    UA_Variant v;
    UA_Variant_setScalar(&v, &counted, &UA_TYPES[UA_TYPES_UINT32]);
    UA_Server_writeValue(server, node("count"), v);
}

static void set(char *name, double number, UA_StatusCode status) {
    UA_WriteValue wv;
    UA_WriteValue_init(&wv);
    wv.nodeId = node(name);
    wv.attributeId = UA_ATTRIBUTEID_VALUE;
    wv.value.hasStatus = true;
    wv.value.status = status;
    wv.value.hasValue = true;
    UA_Variant_setScalar(&wv.value.value, &number, &UA_TYPES[UA_TYPES_DOUBLE]);
    UA_Server_write(server, &wv);
}

static void value(long id, char *name) {
    UA_Variant v;
    UA_String out = UA_STRING_NULL;
    UA_Variant_init(&v);
    UA_Server_readValue(server, node(name), &v);
    char separator = ' ';
    printf("{\\"id\\":%ld,\\"result\\":[", id);
    size_t n = UA_Variant_isScalar(&v) ? 1 : v.arrayLength;
    for (size_t i = 0; i < n; i++, separator = ',') {
        UA_encodeJson((char *)v.data + i * v.type->memSize, v.type, &out, NULL);
        printf("%c%.*s", separator, (int)out.length, (char *)out.data);
        UA_String_clear(&out);
    }
    printf("]}\\n");
    UA_Variant_clear(&v);
}

static unsigned subscriptions(void) {
    UA_Variant v;
    UA_Variant_init(&v);
    UA_Server_readValue(server, UA_NS0ID(SERVER_SERVERDIAGNOSTICS_SERVERDIAGNOSTICSSUMMARY), &v);
    unsigned n = 999;
    if (v.type == &UA_TYPES[UA_TYPES_SERVERDIAGNOSTICSSUMMARYDATATYPE])
        n = ((UA_ServerDiagnosticsSummaryDataType *)v.data)->currentSubscriptionCount;
    UA_Variant_clear(&v);
    return n;
}

static bool obey(char *line) {
    long id = 0;
    int at = 0;
    char op[32], name[64] = "";
    double number = 0, status = 0;
    if (sscanf(line, "{\\"id\\":%ld,\\"op\\":\\"%31[^\\"]\\",\\"args\\":[%n", &id, op, &at) < 2) return true;
    const char *args = line + at;
    if (args[0] == '"') sscanf(args, "\\"%63[^\\"]\\",%lf,%lf", name, &number, &status);
    else sscanf(args, "%lf", &number);
    if (!strcmp(op, "value")) { value(id, name); return true; }
    if (!strcmp(op, "load")) {
        printf("{\\"id\\":%ld,\\"result\\":{\\"sessions\\":%zu,\\"subscriptions\\":%u}}\\n", id,
            UA_Server_getStatistics(server).ss.currentSessionCount, subscriptions());
        return true;
    }
    if (!strcmp(op, "counted")) { printf("{\\"id\\":%ld,\\"result\\":%u}\\n", id, counted); return true; }
    if (!strcmp(op, "set")) set(name, number, (UA_StatusCode)status);
    else if (!strcmp(op, "count") && !counting) UA_Server_addRepeatedCallback(server, count, NULL, number, &counting);
    else if (!strcmp(op, "stepClock")) shift += (UA_Int64)number * UA_DATETIME_MSEC;
    else if (!strcmp(op, "dropSessions")) {
        for (size_t i = 0; i < session_count; i++) {
            UA_Server_closeSession(server, &sessions[i]);
            UA_NodeId_clear(&sessions[i]);
        }
        session_count = 0;
    }
    printf("{\\"id\\":%ld,\\"result\\":null}\\n", id);
    return strcmp(op, "stop") != 0;
}

/** @returns false when nobody is there any more, or it was told to stop */
static bool listen_once(void) {
    static char buffer[4096];
    static size_t used;
    struct pollfd in = {0, POLLIN, 0};
    if (poll(&in, 1, 0) <= 0) return true;
    ssize_t n = read(0, buffer + used, sizeof buffer - 1 - used);
    if (n <= 0) return false;
    used += (size_t)n;
    buffer[used] = 0;
    for (char *end; (end = strchr(buffer, '\\n'));) {
        *end = 0;
        if (!obey(buffer)) { fflush(stdout); return false; }
        used -= (size_t)(end + 1 - buffer);
        memmove(buffer, end + 1, used + 1);
    }
    fflush(stdout);
    return true;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    UA_ServerConfig config;
    memset(&config, 0, sizeof config);
    config.logging = UA_Log_Stdout_new(UA_LOGLEVEL_FATAL);
    UA_ByteString certificate = load(argv[2]), key = load(argv[3]);
    UA_StatusCode code = UA_ServerConfig_setDefaultWithSecurityPolicies(&config, (UA_UInt16)atoi(argv[1]),
        &certificate, &key, NULL, 0, NULL, 0, NULL, 0);
    if (code != UA_STATUSCODE_GOOD) { fprintf(stderr, "%s\\n", UA_StatusCode_name(code)); return 1; }
    config.secureChannelPKI.clear(&config.secureChannelPKI);
    config.sessionPKI.clear(&config.sessionPKI);
    UA_CertificateGroup_AcceptAll(&config.secureChannelPKI);
    UA_CertificateGroup_AcceptAll(&config.sessionPKI);
    UA_String_clear(&config.applicationDescription.applicationUri);
    config.applicationDescription.applicationUri = UA_STRING_ALLOC("urn:open62541.test");
    if (atoi(argv[4]) > 0) config.maxSessions = (UA_UInt16)atoi(argv[4]);
    config.samplingIntervalLimits.min = 10;
    config.publishingIntervalLimits.min = 20;
    config.queueSizeLimits.max = 10000;
    UA_UsernamePasswordLogin login = {UA_STRING_STATIC("operator"), UA_STRING_STATIC("secret")};
    UA_AccessControl_default(&config, true, NULL, 1, &login);
    activate = config.accessControl.activateSession;
    config.accessControl.activateSession = activate_noted;
    real_now = config.eventLoop->dateTime_now;
    config.eventLoop->dateTime_now = shifted_now;
    server = UA_Server_newWithConfig(&config);
    for (int i = 5; i < argc; i++) UA_Server_addNamespace(server, argv[i]);
    ns = UA_Server_addNamespace(server, "urn:test:line");
    fill();
    code = UA_Server_run_startup(server);
    if (code != UA_STATUSCODE_GOOD) { fprintf(stderr, "%s\\n", UA_StatusCode_name(code)); return 1; }
    printf("{\\"id\\":0,\\"result\\":{\\"port\\":%s}}\\n", argv[1]);
    fflush(stdout);
    while (listen_once()) { UA_Server_run_iterate(server, false); usleep(2000); }
    UA_Server_run_shutdown(server);
    UA_Server_delete(server);
    return 0;
}
`;

/** Its own name in its certificate. */
const request = `[req]
distinguished_name = dn
x509_extensions = v3
prompt = no
[dn]
CN = open62541
[v3]
keyUsage = digitalSignature, nonRepudiation, keyEncipherment, dataEncipherment, keyCertSign
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = URI:urn:open62541.test, DNS:localhost, IP:127.0.0.1
`;

/** A key and a certificate where the other test server has its own. @returns both, DER */
async function certify(folder: string): Promise<{ certificate: string; key: string }> {
  const own = join(folder, 'own', 'certs');
  await mkdir(own, { recursive: true });
  await writeFile(join(folder, 'request.cnf'), request);
  const pem = join(own, 'certificate.pem');
  const fresh = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-config', 'request.cnf'];
  await openssl(folder, 'req', ...fresh, '-keyout', 'key.pem', '-out', pem);
  await openssl(folder, 'x509', '-in', pem, '-outform', 'der', '-out', 'certificate.der');
  await openssl(folder, 'rsa', '-in', 'key.pem', '-outform', 'der', '-out', 'key.der');
  return { certificate: join(folder, 'certificate.der'), key: join(folder, 'key.der') };
}

/** Compiles the server once. @param libraries what pkg-config says */
export async function open62541(t: Cleanup, libraries: readonly string[]): Promise<ServerKind> {
  const program = await compile(await scratch(t), open62541Source, ...libraries);
  const certificates = new Map<string, Promise<{ certificate: string; key: string }>>();
  return {
    path: '',
    // It has no function for that.
    lacks: ['the server deletes the subscription'],
    async start(t: Cleanup, options: UaServerOptions): Promise<Helper<unknown>> {
      const { port, folder, pki = 'server-pki', maxSessions = 0, before = [] } = options;
      const home = join(folder, pki);
      const own = certificates.get(home) ?? certify(home);
      certificates.set(home, own);
      const { certificate, key } = await own;
      const args = [String(port), certificate, key, String(maxSessions), ...before];
      return Helper.of(t, 'open62541', new Child(args, { program }));
    },
  };
}
