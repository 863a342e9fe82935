/* A wolfSSL DTLS 1.3 end for the captures.
 *   wolf13 server CERT KEY [cookie] [p384] [verify CA]
 *   wolf13 client CA [p256first] [cid] [mtu N] [cert CERT KEY] [name SNI]
 */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int has(int n, char **v, const char *w) { for (int i = 1; i < n; i++) if (!strcmp(v[i], w)) return i; return 0; }

int main(int n, char **v)
{
    int server = has(n, v, "server"), i, r, fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(4433) }, peer;
    socklen_t len = sizeof peer;
    char buf[2000];
    inet_pton(AF_INET, "192.0.2.20", &a.sin_addr);
    wolfSSL_Init();
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(server ? wolfDTLSv1_3_server_method() : wolfDTLSv1_3_client_method());
    if (server) {
        wolfSSL_CTX_use_certificate_chain_file(ctx, v[2]);
        wolfSSL_CTX_use_PrivateKey_file(ctx, v[3], SSL_FILETYPE_PEM);
        if ((i = has(n, v, "verify"))) {
            wolfSSL_CTX_load_verify_locations(ctx, v[i + 1], NULL);
            wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        }
        bind(fd, (void *)&a, sizeof a);
        recvfrom(fd, buf, sizeof buf, MSG_PEEK, (void *)&peer, &len);
        connect(fd, (void *)&peer, len);
    } else {
        wolfSSL_CTX_load_verify_locations(ctx, v[2], NULL);
        if ((i = has(n, v, "cert"))) {
            wolfSSL_CTX_use_certificate_chain_file(ctx, v[i + 1]);
            wolfSSL_CTX_use_PrivateKey_file(ctx, v[i + 2], SSL_FILETYPE_PEM);
        }
        connect(fd, (void *)&a, sizeof a);
    }
    WOLFSSL *ssl = wolfSSL_new(ctx);
    wolfSSL_set_fd(ssl, fd);
    if (has(n, v, "cookie")) wolfSSL_send_hrr_cookie(ssl, NULL, 0);
    if (server && !has(n, v, "cookie")) wolfSSL_disable_hrr_cookie(ssl);
    if ((i = has(n, v, "mtu"))) wolfSSL_dtls_set_mtu(ssl, atoi(v[i + 1]));
    if (has(n, v, "p384")) { int g[] = { WOLFSSL_ECC_SECP384R1 }; wolfSSL_set_groups(ssl, g, 1); }
    if (has(n, v, "p256first")) wolfSSL_UseKeyShare(ssl, WOLFSSL_ECC_SECP256R1);
    if (has(n, v, "cid")) wolfSSL_dtls_cid_use(ssl);
    if ((i = has(n, v, "name"))) wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, v[i + 1], strlen(v[i + 1]));
    r = server ? wolfSSL_accept(ssl) : wolfSSL_connect(ssl);
    printf("%s %s %s\n", v[1], r == SSL_SUCCESS ? "ok" : wolfSSL_ERR_error_string(wolfSSL_get_error(ssl, r), buf), wolfSSL_get_version(ssl));
    if (r == SSL_SUCCESS) {
        if (server) { if ((r = wolfSSL_read(ssl, buf, sizeof buf)) > 0) wolfSSL_write(ssl, buf, r); }
        else { wolfSSL_write(ssl, "hello\n", 6); wolfSSL_read(ssl, buf, sizeof buf); }
        wolfSSL_shutdown(ssl);
    }
    return 0;
}
