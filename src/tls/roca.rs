//! The fingerprint of the RSA keys of CVE-2017-15361 (ROCA).
//!
//! Infineon's library made primes of the form `k * M + (65537^a mod M)`, M being the product of the first primes, 39 of
//! them or more. A modulus is then a power of 65537 modulo each of these primes, with one exponent for all of them: of
//! ordinary keys fewer than one in a hundred million is a power modulo each, and next to none with one exponent. See
//! <https://crocs.fi.muni.cz/public/papers/rsa_ccs17>.

use super::key_exchange::bit_length;

/// Keys the library could make have at least this many bits.
const SHORTEST: u32 = 512;

const GENERATOR: u32 = 65_537;

/// The odd ones of the first 39 primes.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Whether a modulus, unsigned and big-endian, has the form. An ordinary one is told after a prime or two.
pub(super) fn is_fingerprinted(modulus: &[u8]) -> bool {
    if bit_length(modulus) < SHORTEST {
        return false;
    }
    let mut logarithms: Vec<(u32, u32)> = Vec::new();
    // 11 first: 65537 has only two powers modulo it.
    for prime in [11].into_iter().chain(PRIMES) {
        let residue = modulus.iter().fold(0, |residue, byte| (residue * 256 + u32::from(*byte)) % prime);
        let Some((exponent, order)) = logarithm(residue, prime) else { return false };
        let agree = |(other, other_order): &(u32, u32)| exponent.abs_diff(*other) % divisor(order, *other_order) == 0;
        if !logarithms.iter().all(agree) {
            return false;
        }
        logarithms.push((exponent, order));
    }
    true
}

/// The exponent to which the generator is `residue` modulo `prime`, and the generator's order.
fn logarithm(residue: u32, prime: u32) -> Option<(u32, u32)> {
    let (mut power, mut exponent, mut found) = (1, 0, None);
    loop {
        if power == residue && found.is_none() {
            found = Some(exponent);
        }
        power = power * (GENERATOR % prime) % prime;
        exponent += 1;
        // The generator divides none of the primes, so that its powers come back to 1.
        if power == 1 {
            return Some((found?, exponent));
        }
    }
}

/// The greatest common divisor.
fn divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { divisor(b, a % b) }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// A number of `bytes` bytes that is `residue(prime)` modulo every prime: by Garner's method, in base 256.
    fn of_residues(residue: impl Fn(u32) -> u32) -> Vec<u8> {
        let mut number = vec![0_u8; 80];
        let mut product = vec![0_u8; 80];
        if let Some(last) = product.last_mut() {
            *last = 1;
        }
        let modulo = |number: &[u8], prime| number.iter().fold(0, |sum, byte| (sum * 256 + u32::from(*byte)) % prime);
        for prime in PRIMES {
            while modulo(&number, prime) != residue(prime) % prime {
                let mut carry = 0;
                for (digit, other) in number.iter_mut().zip(&product).rev() {
                    carry += u32::from(*digit) + u32::from(*other);
                    *digit = carry as u8;
                    carry >>= 8;
                }
            }
            let mut carry = 0;
            for digit in product.iter_mut().rev() {
                carry += u32::from(*digit) * prime;
                *digit = carry as u8;
                carry >>= 8;
            }
        }
        // Adding the product changes no residue: until the number is long enough.
        while bit_length(&number) < SHORTEST {
            let mut carry = 0;
            for digit in product.iter_mut().rev() {
                carry += u32::from(*digit) * 256;
                *digit = carry as u8;
                carry >>= 8;
            }
            let mut carry = 0;
            for (digit, other) in number.iter_mut().zip(&product).rev() {
                carry += u32::from(*digit) + u32::from(*other);
                *digit = carry as u8;
                carry >>= 8;
            }
        }
        number
    }

    fn power(exponent: u32, prime: u32) -> u32 {
        (0..exponent).fold(1, |power, _| power * (GENERATOR % prime) % prime)
    }

    #[test]
    fn accepts_powers_of_the_generator_with_one_exponent() {
        for exponent in [0, 1, 2, 4711] {
            assert!(is_fingerprinted(&of_residues(|prime| power(exponent, prime))), "{exponent}");
        }
    }

    #[test]
    fn rejects_powers_with_differing_exponents() {
        let differing = of_residues(|prime| power(if prime == 163 { 4712 } else { 4711 }, prime));
        assert!(!is_fingerprinted(&differing));
    }

    #[test]
    fn rejects_what_is_no_power_modulo_one_prime() {
        assert_eq!(logarithm(2, 11), None);
        assert!(!is_fingerprinted(&of_residues(|prime| if prime == 11 { 2 } else { power(4711, prime) })));
        assert!(!is_fingerprinted(&of_residues(|prime| if prime == 167 { 0 } else { power(4711, prime) })));
    }

    #[test]
    fn rejects_numbers_too_short_to_be_of_that_library() {
        assert!(!is_fingerprinted(&[]) && !is_fingerprinted(&[1]));
        let mut short = vec![0; 63];
        short.push(1);
        assert!(!is_fingerprinted(&short));
    }
}
