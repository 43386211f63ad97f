//! Tokens that this peer makes and believes, and the identities they stand for.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::database::{ConnectionId, Identity, now_micros};
use crate::numbers::to_hex;

/// Who a token says that its bearer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bearer {
    pub identity: Identity,
    pub token: String,
    issuer: String,
    subject: String,
}

/// The secret that tokens are signed with (JWT, HS256).
pub struct Keys {
    secret: [u8; 32],
}

const ISSUER: &str = "localhost";

impl Keys {
    /// The same text gives the same keys: a peer that is started again with it takes its old tokens.
    pub fn from_text(text: &str) -> Keys {
        Keys { secret: Sha256::digest(text).into() }
    }

    pub fn random() -> Keys {
        Keys { secret: random() }
    }

    /// Somebody new.
    pub fn mint(&self) -> Bearer {
        let subject = to_hex(&random::<16>());
        self.issue(ISSUER, &subject, None)
    }

    /// Another token for the same, for a minute.
    pub fn mint_short_lived(&self, bearer: &Bearer) -> Bearer {
        self.issue(&bearer.issuer, &bearer.subject, Some(now_micros() / 1_000_000 + 60))
    }

    fn issue(&self, issuer: &str, subject: &str, expires: Option<i64>) -> Bearer {
        let identity = identity_of(issuer, subject);
        let claims = json!({
            "hex_identity": identity_hex(&identity),
            "sub": subject,
            "iss": issuer,
            "aud": ["spacetimedb"],
            "iat": now_micros() / 1_000_000,
            "exp": expires,
        });
        let head = BASE64.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
        let signed = format!("{head}.{}", BASE64.encode(claims.to_string()));
        let token = format!("{signed}.{}", BASE64.encode(self.signature(&signed)));
        Bearer { identity, token, issuer: issuer.into(), subject: subject.into() }
    }

    /// The bearer of a token; the error is what a server answers.
    pub fn verify(&self, token: &str) -> Result<Bearer, String> {
        let refused = || "Invalid token: InvalidToken".to_owned();
        let (signed, signature) = token.rsplit_once('.').ok_or_else(refused)?;
        let signature = BASE64.decode(signature).map_err(|error| format!("Invalid token: Base64 error: {error}"))?;
        if signature != self.signature(signed) {
            return Err("Invalid token: InvalidSignature".into());
        }
        let (_, claims) = signed.split_once('.').ok_or_else(refused)?;
        let claims = BASE64.decode(claims).map_err(|_| refused())?;
        let claims: Value = serde_json::from_slice(&claims).map_err(|_| refused())?;
        if claims["exp"].as_i64().is_some_and(|expires| expires < now_micros() / 1_000_000) {
            return Err("Invalid token: ExpiredSignature".into());
        }
        let text = |claim: &str| claims[claim].as_str().map(str::to_owned).ok_or_else(refused);
        let (issuer, subject) = (text("iss")?, text("sub")?);
        Ok(Bearer { identity: identity_of(&issuer, &subject), token: token.to_owned(), issuer, subject })
    }

    /// HMAC with SHA-256.
    fn signature(&self, text: &str) -> [u8; 32] {
        let padded = |byte: u8| {
            let mut block = [byte; 64];
            block.iter_mut().zip(&self.secret).for_each(|(block, secret)| *block ^= secret);
            block
        };
        let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
        Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
    }
}

/// As every server derives it from the claims, in the byte order of BSATN.
pub fn identity_of(issuer: &str, subject: &str) -> Identity {
    let hash = blake3::hash(format!("{issuer}|{subject}").as_bytes());
    let hash = &hash.as_bytes()[..26];
    let checked = blake3::hash(&[&[0xc2, 0x00], hash].concat());
    let mut identity: Identity = [0; 32];
    identity[..2].copy_from_slice(&[0xc2, 0x00]);
    identity[2..6].copy_from_slice(&checked.as_bytes()[..4]);
    identity[6..].copy_from_slice(hash);
    identity.reverse();
    identity
}

/// An identity as it is written: the most significant digits first.
pub fn identity_hex(identity: &Identity) -> String {
    to_hex(&identity.iter().rev().copied().collect::<Vec<_>>())
}

pub fn random_connection_id() -> ConnectionId {
    random()
}

/// Bytes that nobody can guess. Without a source of them there is no peer.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_those_of_the_real_server() {
        let known = [
            ("example.com", "123", "c200ef884364c1a99be0298dc68f2004e6b97c09d1b1658b7db22f51fb662059"),
            ("localhost", "test-subject", "c200b3ce65d91b79ecfb7d881cd65bf8da2f647d590af1474ad19faa7aa87e38"),
        ];
        for (issuer, subject, hex) in known {
            assert_eq!(identity_hex(&identity_of(issuer, subject)), hex);
        }
    }

    #[test]
    fn only_its_own_tokens() {
        let keys = Keys::from_text("one");
        let bearer = keys.mint();
        assert_eq!(keys.verify(&bearer.token).as_ref(), Ok(&bearer));
        assert_eq!(keys.verify(&keys.mint_short_lived(&bearer).token).map(|other| other.identity), Ok(bearer.identity));
        assert!(Keys::from_text("two").verify(&bearer.token).is_err());
        assert!(keys.verify(&keys.issue(ISSUER, "late", Some(1)).token).is_err());
        for token in ["", "nonsense", "a.b.c", "..", &bearer.token[1..]] {
            assert!(keys.verify(token).is_err(), "{token}");
        }
    }

    /// RFC 4231, test case 2, with the key padded to our size of secrets.
    #[test]
    fn signatures_are_hmac() {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(b"Jefe");
        let signature = Keys { secret }.signature("what do ya want for nothing?");
        assert_eq!(to_hex(&signature), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
