//! [`Evidence`]: what a finding rests on.

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeMap;
use smallvec::SmallVec;

use super::Severity;
use crate::flow::Side;
use crate::time::Timestamp;
use crate::tls::codepoints::{
    AlertDescription, CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme,
};

/// Named values, in the order they were given; members of the finding's `evidence` object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    entries: SmallVec<[(&'static str, Value); 3]>,
    severity: Option<Severity>,
}

impl Evidence {
    /// Evidence that needs no more than the record it stands in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Evidence of one value.
    #[must_use]
    pub fn of(name: &'static str, value: impl Into<Value>) -> Self {
        Self::new().with(name, value)
    }

    /// Adds a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.entries.push((name, value.into()));
        self
    }

    /// Adds a value where there is one.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Makes this finding as bad as `severity`, whatever its rule says.
    #[must_use]
    pub fn at(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The severity that replaces the rule's.
    #[must_use]
    pub const fn severity(&self) -> Option<Severity> {
        self.severity
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.entries.iter().map(|(name, value)| (*name, value))
    }

    /// The value called `name`.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl serde::Serialize for Evidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (name, value) in &self.entries {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// One value of evidence.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A count, a length, a number of bits or days.
    Number(i64),
    /// Yes or no.
    Flag(bool),
    /// Words.
    Text(Cow<'static, str>),
    /// A version.
    Version(ProtocolVersion),
    /// A suite.
    Suite(CipherSuite),
    /// A group.
    Group(NamedGroup),
    /// A signature scheme.
    Scheme(SignatureScheme),
    /// An extension.
    Extension(ExtensionType),
    /// An alert.
    Alert(AlertDescription),
    /// A side.
    Side(Side),
    /// A time.
    Time(Timestamp),
    /// Several values.
    List(Vec<Value>),
}

impl Value {
    /// A list of values.
    pub fn list<T: Into<Self>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Version(version) => version.fmt(f),
            Self::Suite(suite) => suite.fmt(f),
            Self::Group(group) => group.fmt(f),
            Self::Scheme(scheme) => scheme.fmt(f),
            Self::Extension(extension) => extension.fmt(f),
            Self::Alert(alert) => alert.fmt(f),
            Self::Side(Side::Client) => f.write_str("client"),
            Self::Side(Side::Server) => f.write_str("server"),
            Self::Time(time) => time.fmt(f),
            Self::List(values) => {
                for (position, value) in values.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Version(version) => version.serialize(serializer),
            Self::Suite(suite) => suite.serialize(serializer),
            Self::Group(group) => group.serialize(serializer),
            Self::Scheme(scheme) => scheme.serialize(serializer),
            Self::Extension(extension) => extension.serialize(serializer),
            Self::Alert(alert) => alert.serialize(serializer),
            Self::Side(side) => side.serialize(serializer),
            Self::Time(time) => time.serialize(serializer),
            Self::List(values) => serializer.collect_seq(values),
        }
    }
}

macro_rules! value_from {
    ($($source:ty => $variant:ident),* $(,)?) => {
        $(impl From<$source> for Value {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        })*
    };
}

value_from! {
    i64 => Number, u32 => Number, u16 => Number, u8 => Number,
    bool => Flag,
    &'static str => Text, String => Text, Cow<'static, str> => Text,
    ProtocolVersion => Version, CipherSuite => Suite, NamedGroup => Group, SignatureScheme => Scheme,
    ExtensionType => Extension, AlertDescription => Alert, Side => Side, Timestamp => Time,
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
