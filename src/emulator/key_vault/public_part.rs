//! The public part of a key: numbers that a client can load, with no private part behind them.
//!
//! Invariants: derived from the version alone, so they are the same at every address; a modulus has all its bits and is odd; a
//! point is on its curve. What isn't so: a modulus is no product of two primes that anybody knows, nor is anything known of
//! the logarithm of a point.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use num_bigint::BigUint;
use sha2::{Digest as _, Sha256};

/// A curve `y² = x³ + ax + b` over a prime field (SEC 2, FIPS 186-5). All primes are 3 modulo 4, which makes roots cheap.
#[derive(Debug, Clone, Copy)]
pub(super) struct Curve {
    /// As a JWK names it.
    pub(super) name: &'static str,
    /// Bytes of a coordinate.
    length: usize,
    prime: &'static str,
    /// `a` is either three below zero, or zero.
    three_below: bool,
    b: &'static str,
}

/// The curves of Key Vault. The first one is what a key has whose maker names none.
pub(super) const CURVES: [Curve; 4] = [
    Curve {
        name: "P-256",
        length: 32,
        prime: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
        three_below: true,
        b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    },
    Curve {
        name: "P-384",
        length: 48,
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
        three_below: true,
        b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
    },
    Curve {
        name: "P-521",
        length: 66,
        prime: "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        three_below: true,
        b: "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
    },
    Curve {
        name: "P-256K",
        length: 32,
        prime: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
        three_below: false,
        b: "07",
    },
];

fn number(hex: &str) -> BigUint {
    BigUint::parse_bytes(hex.as_bytes(), 16).unwrap_or_default()
}

/// Bytes that look random; the same for the same version and part.
fn bytes(version: &str, part: &str, length: usize) -> Vec<u8> {
    let blocks = (0..length.div_ceil(32)).flat_map(|block| {
        Sha256::new().chain_update(version).chain_update(part).chain_update(block.to_be_bytes()).finalize()
    });
    blocks.take(length).collect()
}

/// The modulus of an RSA key with so many bits, as a JWK has it.
pub(super) fn modulus(version: &str, bits: u16) -> String {
    let mut bytes = bytes(version, "n", usize::from(bits / 8));
    if let Some(first) = bytes.first_mut() {
        *first |= 0x80;
    }
    if let Some(last) = bytes.last_mut() {
        *last |= 1;
    }
    BASE64.encode(bytes)
}

/// The coordinates of an EC key, as a JWK has them: the first point at or after a random place.
pub(super) fn point(version: &str, curve: &Curve) -> (String, String) {
    let Curve { name, length, prime, three_below, b } = *curve;
    let (prime, b) = (number(prime), number(b));
    let one = BigUint::from(1u8);
    let a = if three_below { &prime - 3u8 } else { BigUint::default() };
    let root = (&prime + &one) >> 2;
    let mut x = BigUint::from_bytes_be(&bytes(version, name, length)) % &prime;
    let y = loop {
        let square = (&x * &x * &x + &a * &x + &b) % &prime;
        let y = square.modpow(&root, &prime);
        // Half of all numbers have a root.
        if (&y * &y) % &prime == square {
            break y;
        }
        x = (&x + &one) % &prime;
    };
    let padded = |number: &BigUint| {
        let digits = number.to_bytes_be();
        let zeros = vec![0; length.saturating_sub(digits.len())];
        BASE64.encode([zeros, digits].concat())
    };
    (padded(&x), padded(&y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modulus_is_odd_and_has_all_its_bits() {
        for (version, bits) in [("0", 2048), ("1", 3072), ("2", 4096), ("3", 2048)] {
            let bytes = BASE64.decode(modulus(version, bits)).unwrap();
            assert_eq!((bytes.len(), bytes[0] >> 7, bytes[bytes.len() - 1] & 1), (usize::from(bits / 8), 1, 1));
        }
        assert_eq!(modulus("0", 2048), modulus("0", 2048));
        assert_ne!(modulus("0", 2048), modulus("1", 2048));
    }

    #[test]
    fn a_point_is_on_its_curve() {
        for curve in &CURVES {
            for version in ["0", "1", "2", "3"] {
                let (x, y) = point(version, curve);
                let (x, y) = (BASE64.decode(x).unwrap(), BASE64.decode(y).unwrap());
                assert_eq!((x.len(), y.len()), (curve.length, curve.length), "{}", curve.name);
                let (x, y, p) = (BigUint::from_bytes_be(&x), BigUint::from_bytes_be(&y), number(curve.prime));
                let left = if curve.three_below { &y * &y + &x * 3u8 } else { &y * &y };
                assert_eq!(left % &p, (&x * &x * &x + number(curve.b)) % &p, "{}", curve.name);
                assert_ne!((x, y), (BigUint::default(), BigUint::default()));
            }
        }
        // The generator of P-256 (SEC 2) is on the curve as it stands here.
        let [p256, ..] = CURVES;
        let (x, y) = (
            number("6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
            number("4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
        );
        let p = number(p256.prime);
        assert_eq!((&y * &y + &x * 3u8) % &p, (&x * &x * &x + number(p256.b)) % &p);
    }
}
