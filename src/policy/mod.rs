//! Policies: what a standard or a person allows of TLS, as data, and what one handshake says of it.
//!
//! A policy is a TOML file. Those of the field are in the binary (`data/`, one file a policy, and `data/atoms/`, one a
//! single demand); a user's own have the same form and may extend another. A policy expression joins policies by `+`,
//! `mozilla-intermediate+require-pq`: a handshake has to comply with every part.
//!
//! [`Policy::check`] judges four things apart, as they are different facts: what the client offered, what the server
//! chose, the key exchange and the server's certificate. What the wire hid is `unknown` with the reason, never
//! `complies`. A check allocates only to say what is wrong or hidden; the part on the offer depends on the hello alone
//! and can be made once a hello ([`Policy::check_offer`]).
//!
//! ```
//! use handprint::policy::Catalogue;
//!
//! let policy = Catalogue::shipped().resolve("mozilla-intermediate+require-pq")?;
//! assert_eq!(policy.id(), "mozilla-6.0-intermediate+require-pq");
//!
//! let mut catalogue = Catalogue::shipped().clone();
//! catalogue.add("mine.toml", "id = 'mine'\nextends = 'tls12-min'\n[forbid]\ncipher_suites = ['*_CBC_*']\n")?;
//! assert!(catalogue.find("mine").is_some());
//! let refused = catalogue.add("bad.toml", "id = 'bad'\n[allow]\ngroups = ['x25518']\n");
//! assert_eq!(refused.unwrap_err().to_string(), "bad.toml:3:11: no group is called \"x25518\"");
//! # Ok::<(), handprint::error::Error>(())
//! ```

mod certificate;
mod check;
mod form;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, LazyLock};

pub use check::{Judgement, Part, Unknown, Verdict, Violation};
use form::Form;
pub(crate) use form::{Checked, text_form};
pub use form::{Kind, Verification, is_path};
use limits::Limits;

use crate::error::Error;
use crate::findings::Settings;

/// One policy, or several joined.
#[derive(Clone)]
pub struct Policy {
    form: Form,
    limits: Limits,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({})", self.id())
    }
}

impl Policy {
    fn new(form: Form) -> Self {
        let limits = Limits::of(&form);
        Self { form, limits }
    }

    /// Its name; for joined policies all names with `+` between.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.form.id.0
    }

    /// Other names it goes by: without a version, the one meant today.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.form.aliases.iter().map(|alias| alias.0.as_str())
    }

    /// What it is, in a line; the name where nothing says.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.form.title.is_empty() { self.id() } else { &self.form.title }
    }

    /// Whether it is a whole policy or one demand.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.form.kind
    }

    /// The version of its source.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.form.version
    }

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.form.source
    }

    /// The date of its source, or on which it was read: `2026`, `2026-07` or `2026-07-31`.
    #[must_use]
    pub fn date(&self) -> Option<&str> {
        self.form.date.as_ref().map(|date| date.0.as_str())
    }

    /// How far its lists were compared with the source.
    #[must_use]
    pub const fn verification(&self) -> Verification {
        self.form.verification
    }

    /// What a person should know of it.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.form.notes
    }

    /// What its source asks for beyond that, and no check looks at.
    #[must_use]
    pub fn not_checked(&self) -> &[String] {
        self.form.not_checked.as_deref().unwrap_or_default()
    }

    /// All it says as TOML, with what it extends taken over. Reads back as the same policy.
    #[must_use]
    pub fn to_toml(&self) -> String {
        self.form.to_toml()
    }

    /// All it says as JSON, in the members of the TOML.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(&self.form).unwrap_or_default()
    }

    /// Switches on the rules that are off unless such a policy needs them.
    pub fn adjust(&self, settings: &mut Settings) {
        for switch in self.form.switches_on.iter().flatten() {
            match switch {
                form::Switch::Cnsa2 => settings.cnsa2 = true,
                form::Switch::Rsa3000 => settings.rsa_3000 = true,
            }
        }
    }
}

/// Policies by name.
#[derive(Clone, Debug)]
pub struct Catalogue {
    policies: Vec<Arc<Policy>>,
}

impl Catalogue {
    /// What comes with handprint.
    #[must_use]
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Catalogue> = LazyLock::new(|| {
            let mut catalogue = Catalogue { policies: Vec::with_capacity(FILES.len()) };
            for (name, text) in FILES {
                // A test holds that every one is sound.
                let _ = catalogue.add(name, text);
            }
            catalogue
        });
        &SHIPPED
    }

    /// Adds a policy from the text of its file, which errors name `origin`.
    ///
    /// # Errors
    /// The line and column of what makes no sense; a name that is taken; a base that is not there.
    pub fn add(&mut self, origin: &str, text: &str) -> Result<Arc<Policy>, Error> {
        let mut form = Form::parse(origin, text)?;
        if let Some(extends) = form.extends.clone() {
            let base = self
                .resolve(extends.get_ref())
                .map_err(|error| Error::in_file(origin, text, Some(form::span_of(&extends)), &error.to_string()))?;
            form.extend(&base.form);
        }
        for name in std::iter::once(&form.id).chain(&form.aliases) {
            if self.find(&name.0).is_some() {
                let message = format!("there is a policy called {:?} already", name.0);
                return Err(Error::in_file(origin, text, None, &message));
            }
        }
        let policy = Arc::new(Policy::new(form));
        self.policies.push(Arc::clone(&policy));
        Ok(policy)
    }

    /// Every policy, the shipped ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.iter()
    }

    /// The policy of this name or alias.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Policy>> {
        self.policies.iter().find(|policy| policy.id() == name || policy.aliases().any(|alias| alias == name))
    }

    /// The policy that `expression` means: names joined by `+`, of which all have to be complied with.
    ///
    /// # Errors
    /// Names a part that is no policy, and parts that nothing can comply with together.
    pub fn resolve(&self, expression: &str) -> Result<Arc<Policy>, Error> {
        let mut joined: Option<Arc<Policy>> = None;
        let mut rest = expression;
        while !rest.is_empty() {
            let (policy, after) = self.longest(rest)?;
            joined = Some(match joined {
                None => policy,
                Some(before) => {
                    let mut form = before.form.clone();
                    form.and(&policy.form)?;
                    Arc::new(Policy::new(form))
                }
            });
            rest = after;
        }
        joined.ok_or_else(|| Error::Configuration("a policy has no name".to_owned()))
    }

    /// The longest name at the start of `text`, as names may have a `+` in them, and what follows.
    fn longest<'a>(&self, text: &'a str) -> Result<(Arc<Policy>, &'a str), Error> {
        let ends = text.match_indices('+').map(|(at, _)| at).chain([text.len()]);
        for end in ends.collect::<Vec<_>>().into_iter().rev() {
            let (name, after) = text.split_at_checked(end).unwrap_or_default();
            if let Some(policy) = self.find(name) {
                let after = after.strip_prefix('+').unwrap_or(after);
                let ends_in_plus = after.is_empty() && end < text.len();
                if !ends_in_plus {
                    return Ok((Arc::clone(policy), after));
                }
            }
        }
        let name = text.split('+').next().unwrap_or_default();
        let like: Vec<&str> =
            self.iter().map(|policy| policy.id()).filter(|id| !name.is_empty() && id.contains(name)).take(5).collect();
        let hint = match like.as_slice() {
            [] => "`handprint policies` lists them".to_owned(),
            like => format!("there is {}", like.join(", ")),
        };
        Err(Error::Configuration(format!("no policy is called {name:?}; {hint}")))
    }
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("data/", $name, ".toml"))),)*]
    };
}

/// What is shipped; a policy stands behind what it extends.
const FILES: &[(&str, &str)] = files! {
    "mozilla-5.7-modern" "mozilla-5.7-intermediate" "mozilla-5.7-old"
    "mozilla-5.8-modern" "mozilla-5.8-intermediate" "mozilla-5.8-old"
    "mozilla-6.0-modern" "mozilla-6.0-intermediate"
    "nist-800-52r2" "nist-800-52r2-appendix-d" "nist-800-52r2+pq"
    "bsi-tr-02102-2-2025" "bsi-tr-02102-2-2026"
    "bcp195-rfc9325"
    "pci-dss-4.0.1"
    "cnsa1-rfc9151" "cnsa2"
    "o365-tls12-only" "o365-current"
    "exchange-2015"
    "tls12-min" "tls13-min"
    "atoms/no-ssl3" "atoms/no-tls1.0" "atoms/no-tls1.1"
    "atoms/no-rc4" "atoms/no-3des" "atoms/no-cbc" "atoms/no-rsa-kex" "atoms/no-dhe"
    "atoms/no-md5-cert" "atoms/no-sha1-cert" "atoms/no-sha1-sig" "atoms/rsa-2048"
    "atoms/require-pq" "atoms/require-ems" "atoms/require-secure-reneg"
};
