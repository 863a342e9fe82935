//! A QUIC client and server small enough to capture.
//!   quinn-capture server ADDR CERT KEY ALPN [retry]
//!   quinn-capture client ADDR NAME CA ALPN [classic] [0rtt]
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::pki_types::{pem::PemObject, CertificateDer, PrivateKeyDer};
use std::{sync::Arc, time::Duration};

type Res<T> = Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Res<()> {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let has = |w: &str| a.iter().any(|x| x == w);
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    if has("classic") {
        provider.kx_groups.retain(|g| g.name() != rustls::NamedGroup::X25519MLKEM768);
    }
    let provider = Arc::new(provider);
    match a[0].as_str() {
        "server" => {
            let chain = CertificateDer::pem_file_iter(&a[2])?.collect::<Result<Vec<_>, _>>()?;
            let mut tls = rustls::ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_no_client_auth()
                .with_single_cert(chain, PrivateKeyDer::from_pem_file(&a[3])?)?;
            tls.alpn_protocols = vec![a[4].as_bytes().to_vec()];
            tls.max_early_data_size = u32::MAX;
            let cfg = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
            let ep = quinn::Endpoint::server(cfg, a[1].parse()?)?;
            while let Some(inc) = ep.accept().await {
                if has("retry") && !inc.remote_address_validated() {
                    let _ = inc.retry();
                    continue;
                }
                tokio::spawn(async move {
                    let Ok(conn) = inc.await else { return };
                    while let Ok((mut tx, mut rx)) = conn.accept_bi().await {
                        let _ = rx.read_to_end(1000).await;
                        let _ = tx.write_all(b"hello back\n").await;
                        let _ = tx.finish();
                    }
                });
            }
        }
        "client" => {
            let mut roots = rustls::RootCertStore::empty();
            for c in CertificateDer::pem_file_iter(&a[3])? {
                roots.add(c?)?;
            }
            let mut tls = rustls::ClientConfig::builder_with_provider(provider)
                .with_protocol_versions(&[&rustls::version::TLS13])?
                .with_root_certificates(roots)
                .with_no_client_auth();
            tls.alpn_protocols = vec![a[4].as_bytes().to_vec()];
            tls.enable_early_data = true;
            let cfg = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
            let to: std::net::SocketAddr = a[1].parse()?;
            let from = if to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
            let mut ep = quinn::Endpoint::client(from.parse()?)?;
            ep.set_default_client_config(cfg);
            let conn = ep.connect(to, &a[2])?.await?;
            ask(&conn).await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
            conn.close(0u32.into(), b"");
            ep.wait_idle().await;
            if has("0rtt") {
                ep.rebind(std::net::UdpSocket::bind(from)?)?;
                match ep.connect(to, &a[2])?.into_0rtt() {
                    Ok((conn, ok)) => {
                        ask(&conn).await?;
                        println!("0-RTT accepted: {}", ok.await);
                        conn.close(0u32.into(), b"");
                    }
                    Err(_) => println!("no 0-RTT possible"),
                }
                ep.wait_idle().await;
            }
        }
        _ => panic!("server or client"),
    }
    Ok(())
}

async fn ask(conn: &quinn::Connection) -> Res<()> {
    let (mut tx, mut rx) = conn.open_bi().await?;
    tx.write_all(b"hello\n").await?;
    tx.finish()?;
    println!("{}", String::from_utf8_lossy(&rx.read_to_end(1000).await?));
    Ok(())
}
