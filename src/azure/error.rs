//! Why a call failed.
//!
//! The one question that callers may ask is whether a write may have taken effect all the same
//! ([`CallError::is_ambiguous`]). What must stay true: no failure reads as "absent"; that conclusion belongs to the typed
//! clients, which know the bodies that prove it.

use std::fmt;

use super::operations::{Effect, Facts};
use super::secrets::Held;
use super::token::TokenError;
use crate::terms::text::brief;

/// A call that brought no usable answer.
#[derive(Debug, Clone)]
pub struct CallError {
    /// What was called.
    pub operation: &'static Facts,
    /// Why it failed.
    pub failure: Failure,
    /// How often it was tried.
    pub attempts: u32,
    /// The service's id of the last try, for its support.
    pub correlation: Option<String>,
}

/// The ways to fail.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The service answered with a status other than 2xx.
    Status {
        /// The status.
        status: u16,
        /// The service's code, if its body had one.
        code: Option<String>,
        /// The service's more exact code, if its body had one.
        inner: Option<String>,
        /// The service's words, if its body had some.
        message: Option<String>,
    },
    /// No connection was made; nothing was sent.
    NotSent {
        /// What stood in the way.
        detail: String,
    },
    /// The call can't be sent at all, now or later.
    Unsendable {
        /// What is wrong with it.
        detail: String,
    },
    /// The request went out, and no whole answer came back.
    NoAnswer {
        /// What was seen.
        detail: String,
    },
    /// The answer isn't what the service documents.
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The service asked for a longer wait than the run allows.
    Throttled {
        /// The status, 429 or 503.
        status: u16,
        /// What it asked for.
        seconds: u64,
    },
    /// The run's time was over before the service was asked, or before it answered a question.
    OutOfTime,
    /// The address isn't one that may see this token.
    HostRefused {
        /// The host and why.
        detail: String,
    },
    /// No token.
    Token(TokenError),
}

impl Failure {
    /// The same without the secrets that the run holds, in whatever words.
    pub(super) fn scrubbed(self, held: &Held) -> Self {
        match self {
            Self::Status { status, code, inner, message } => {
                let [code, inner, message] = [code, inner, message].map(|text| held.scrub_all(text));
                Self::Status { status, code, inner, message }
            }
            Self::NotSent { detail } => Self::NotSent { detail: held.scrub(&detail) },
            Self::Unsendable { detail } => Self::Unsendable { detail: held.scrub(&detail) },
            Self::NoAnswer { detail } => Self::NoAnswer { detail: held.scrub(&detail) },
            Self::Unreadable { detail } => Self::Unreadable { detail: held.scrub(&detail) },
            Self::HostRefused { detail } => Self::HostRefused { detail: held.scrub(&detail) },
            Self::Token(TokenError { reason, refused }) => {
                Self::Token(TokenError { reason: held.scrub(&reason), refused })
            }
            same @ (Self::Throttled { .. } | Self::OutOfTime) => same,
        }
    }

    /// Whether the service asked its callers to slow down, and did nothing.
    pub(super) fn is_throttling(&self) -> bool {
        matches!(self, Failure::Status { status: 429, .. })
    }

    /// The status, if the service answered.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Failure::Status { status, .. } | Failure::Throttled { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl CallError {
    /// The error that says that answers to `operation` can't be understood.
    pub(super) fn unreadable(operation: &'static Facts, detail: &str) -> Self {
        Self { operation, failure: Failure::Unreadable { detail: detail.to_owned() }, attempts: 1, correlation: None }
    }

    /// Whether the service may have done what it was asked to although the call failed.
    pub fn is_ambiguous(&self) -> bool {
        match &self.failure {
            Failure::NoAnswer { .. } | Failure::Unreadable { .. } => true,
            Failure::Status { status, .. } => *status >= 500 || *status == 408,
            Failure::Throttled { status, .. } => *status != 429,
            Failure::NotSent { .. }
            | Failure::Unsendable { .. }
            | Failure::OutOfTime
            | Failure::HostRefused { .. }
            | Failure::Token(_) => false,
        }
    }

    /// The status, if the service answered.
    pub fn status(&self) -> Option<u16> {
        self.failure.status()
    }

    /// The service's own code, if its body had one.
    pub fn code(&self) -> Option<&str> {
        match &self.failure {
            Failure::Status { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The service's more exact code, if its body had one. Key Vault has some.
    pub fn inner_code(&self) -> Option<&str> {
        match &self.failure {
            Failure::Status { inner, .. } => inner.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { service, method, path, needs, effect, .. } = self.operation;
        match &self.failure {
            Failure::Status { status, code, inner, message } => {
                write!(f, "{service} answered {status}")?;
                if let Some(code) = code {
                    write!(f, " {}", brief(code))?;
                }
                if let Some(inner) = inner {
                    write!(f, "/{}", brief(inner))?;
                }
                write!(f, " to {method} {path}")?;
                if let Some(message) = message {
                    write!(f, ": {}", brief(message))?;
                }
                if matches!(status, 401 | 403) && !needs.ids().is_empty() {
                    write!(f, " (needs: {needs}")?;
                    // Reads are many, and one write is what a person sets out to do.
                    match needs.remedy().filter(|_| *effect != Effect::Read) {
                        Some(remedy) => write!(f, "; {remedy})")?,
                        None => f.write_str(")")?,
                    }
                }
            }
            Failure::NotSent { detail } => write!(f, "{service} can't be reached for {method} {path}: {detail}")?,
            Failure::NoAnswer { detail } => write!(f, "{service} gave no whole answer to {method} {path}: {detail}")?,
            Failure::Unreadable { detail } => {
                write!(f, "the answer of {service} to {method} {path} can't be understood: {detail}")?;
            }
            Failure::Throttled { status, seconds } => write!(
                f,
                "{service} answered {status} to {method} {path} and asked for {seconds} s of patience, more than this run gives"
            )?,
            Failure::OutOfTime => write!(
                f,
                "{service} was not waited for at {method} {path}: the time of this run is over (`--timeout`)"
            )?,
            Failure::HostRefused { detail } | Failure::Unsendable { detail } => {
                write!(f, "{method} {path} was not sent: {detail}")?
            }
            Failure::Token(error) => write!(f, "no token for {service}: {error}")?,
        }
        if self.attempts > 1 {
            write!(f, ", after {} tries", self.attempts)?;
        }
        Ok(())
    }
}

impl std::error::Error for CallError {}
