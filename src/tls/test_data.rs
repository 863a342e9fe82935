//! Real messages for unit tests; how each was made is in `tests/data/*/README.md`.

macro_rules! hellos {
    ($($name:ident = $file:literal;)*) => {
        /// Every ClientHello at hand, with the name of its file.
        pub(crate) const CLIENT_HELLOS: &[(&str, &str)] = &[
            $((stringify!($name), include_str!(concat!("../../tests/data/hello/", $file, ".hex"))),)*
        ];
    };
}

hellos! {
    openssl_tls13 = "openssl_tls13";
    openssl_tls12 = "openssl_tls12";
    openssl_tls10 = "openssl_tls10";
    gnutls = "gnutls";
    gnutls_no_extensions = "gnutls_no_extensions";
    node = "node";
    go = "go";
    java = "java";
}

/// One ClientHello message by the name of its file.
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let (_, digits) = CLIENT_HELLOS.iter().find(|(each, _)| *each == name).unwrap_or_else(|| panic!("no hello {name}"));
    hex(digits)
}

/// Bytes from hex digits; anything else between them is skipped.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().filter_map(|each| each.to_digit(16)).map(|each| each as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

macro_rules! certificates {
    ($($name:literal),*) => {
        /// Every certificate at hand, with the name of its file.
        pub(crate) const CERTIFICATES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../tests/data/certificate/", $name, ".hex"))),)*
        ];
    };
}

certificates!("full", "ec", "ed25519", "md5", "pss", "dsa", "explicit", "v1", "roca");

/// One certificate's DER by the name of its file.
pub(crate) fn certificate(name: &str) -> Vec<u8> {
    let found = CERTIFICATES.iter().find(|(each, _)| *each == name);
    let (_, digits) = found.unwrap_or_else(|| panic!("no certificate {name}"));
    hex(digits)
}
