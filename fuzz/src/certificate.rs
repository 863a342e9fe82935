//! The DER of a certificate.

use handprint::engine::EngineConfig;
use handprint::tls::x509::{Certificate, distinguished_name};
use sha2::{Digest, Sha256};

use crate::client_hello::{cuts, hex};
use crate::program::{Assembler, Channel, Program};
use crate::records::read;

/// Checks what reading a certificate promises, and that the rules and records take whatever it yields.
pub fn check(der: &[u8]) {
    let certificate = Certificate::from_der(der);
    assert_eq!(certificate, Certificate::from_der(der), "read otherwise a second time");
    assert_eq!(certificate.sha256, hex(&Sha256::digest(der)));
    check_sizes(&certificate, der.len());
    if certificate.problems.is_empty() {
        for length in cuts(der.len()).step_by(11) {
            let cut = Certificate::from_der(&der[..length]);
            assert!(!cut.problems.is_empty(), "{length} of {} bytes pass for a whole certificate", der.len());
        }
        assert_eq!(distinguished_name(&certificate.subject_der).as_deref(), Ok(certificate.subject.as_str()));
        assert_eq!(distinguished_name(&certificate.issuer_der).as_deref(), Ok(certificate.issuer.as_str()));
    }
    if der.len() < 8 << 10 {
        check_flow(der);
    }
}

/// Memory is linear in the DER, and nothing in the text can steer a terminal.
fn check_sizes(certificate: &Certificate, length: usize) {
    let texts = [&certificate.subject, &certificate.issuer, &certificate.serial, &certificate.signature];
    for text in texts.into_iter().chain(&certificate.names) {
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.len() <= 64 + 24 * length, "{} bytes of text from {length} bytes", text.len());
    }
    assert!(certificate.names.len() <= length && certificate.problems.len() <= length + 1);
    assert!(!certificate.key.to_string().is_empty());
}

/// A TLS 1.2 handshake whose server shows the certificate.
fn check_flow(der: &[u8]) {
    let client = Channel { carrier: 0, flow: 0, backwards: false };
    let server = Channel { backwards: true, ..client };
    let hello = message(1, &[&[3, 3][..], &[1; 32], &[0, 0, 2, 0xc0, 0x2f, 1, 0]].concat());
    let answer = message(2, &[&[3, 3][..], &[2; 32], &[0, 0xc0, 0x2f, 0]].concat());
    let entry = [&length24(der.len())[..], der].concat();
    let chain = message(11, &[&length24(entry.len())[..], &entry].concat());
    let mut program = Assembler::new(0);
    program.data(client, 0, &record(&hello));
    let flight = record(&[answer, chain, message(14, &[])].concat());
    program.data(server, 0, &flight);
    let records = read(&Program::run(&program.finish()).frames, EngineConfig::for_capture("fuzz")).records();
    let [record] = &records[..] else { panic!("{} records of one handshake", records.len()) };
    assert_eq!(record["certificates"].as_array().map(Vec::len), Some(1), "{record:#}");
    assert_eq!(record["certificates"][0]["sha256"], hex(&Sha256::digest(der)));
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &length24(body.len()), body].concat()
}

fn record(messages: &[u8]) -> Vec<u8> {
    [&[22, 3, 3][..], &(messages.len() as u16).to_be_bytes(), messages].concat()
}

fn length24(length: usize) -> [u8; 3] {
    let [_, a, b, c] = (length as u32).to_be_bytes();
    [a, b, c]
}
