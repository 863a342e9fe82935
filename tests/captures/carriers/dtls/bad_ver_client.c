/* OpenSSL's own pre-standard DTLS (0x0100, as Cisco AnyConnect uses it) exists for a client
 * resuming a session only; this is such a client, with an invented session. */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <string.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>

int main(void)
{
    unsigned char asn1[97] = { 0x30, 0x5F, 2, 1, 1, 2, 2, 1, 0, 4, 2, 0, 0x2F, 4, 0x20 };
    memset(asn1 + 15, 0x51, 32); asn1[47] = 4; asn1[48] = 0x30; memset(asn1 + 49, 0x4D, 48);
    const unsigned char *p = asn1;
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_min_proto_version(ctx, DTLS1_BAD_VER);
    SSL_CTX_set_max_proto_version(ctx, DTLS1_BAD_VER);
    SSL_CTX_set_options(ctx, SSL_OP_CISCO_ANYCONNECT | SSL_OP_LEGACY_SERVER_CONNECT);
    SSL_CTX_set_cipher_list(ctx, "AES128-SHA:@SECLEVEL=0");
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *s = d2i_SSL_SESSION(NULL, &p, sizeof asn1);
    SSL_SESSION_set_time(s, time(NULL));
    if (!s || !SSL_set_session(ssl, s)) return 1;
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(443) };
    inet_pton(AF_INET, "192.0.2.20", &a.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0); connect(fd, (void *)&a, sizeof a);
    BIO *b = BIO_new_dgram(fd, BIO_NOCLOSE); BIO_ADDR *ba = BIO_ADDR_new();
    BIO_ADDR_rawmake(ba, AF_INET, &a.sin_addr, 4, a.sin_port);
    BIO_ctrl(b, BIO_CTRL_DGRAM_SET_CONNECTED, 0, ba);
    struct timeval t = { 2, 0 }; BIO_ctrl(b, BIO_CTRL_DGRAM_SET_RECV_TIMEOUT, 0, &t);
    SSL_set_bio(ssl, b, b);
    printf("%d\n", SSL_connect(ssl));
    return 0;
}
