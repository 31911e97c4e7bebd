//! One idiom for settings: a builder that checks, values that can be read back, files that cannot skip the checks.
//!
//! Every estimator and every part of one holds its settings in private fields. A [`Builder`] starts from
//! the default (`T::builder()`) or from any value (`value.to_builder()`), has one setter per setting, and
//! [`build`](Builder::build) checks all of them. Each setting has an accessor of the same name. Settings
//! that come from a file pass the same checks, so that no value of these types breaks its own rules.
//!
//! ```
//! use latent_is::{CrossEntropy, MonteCarlo};
//!
//! let published = CrossEntropy::paper();
//! let smaller = published.to_builder().samples_per_level(1000).build()?;
//! assert_eq!(smaller.search_settings().samples_per_level(2), 1000);
//! assert!(MonteCarlo::builder().batch(0).build().is_err());
//! assert!(serde_json::from_str::<MonteCarlo>(
//!     r#"{ "batch": 0, "budget": 1000, "target_cov": null, "min_failures": 100 }"#
//! ).is_err());
//! # Ok::<(), latent_is::Error>(())
//! ```

use crate::error::Error;

/// Settings with rules that every value of the type keeps.
pub trait Settings {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    fn check(&self) -> Result<(), Error>;
}

/// Builds settings of type `T`. See the [module](self).
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Builder<T> {
    pub(crate) settings: T,
}

impl<T: Settings> Builder<T> {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting out of its range.
    pub fn build(self) -> Result<T, Error> {
        self.settings.check()?;
        Ok(self.settings)
    }
}

/// Reads a type whose serde derives say `remote = "Self"` with its checks.
macro_rules! checked_serde {
    ($type:ty $(, $schedule:ident: $($bound:path),+)?) => {
        impl$(<$schedule: serde::Serialize>)? serde::Serialize for $type {
            fn serialize<W: serde::Serializer>(&self, serializer: W) -> Result<W::Ok, W::Error> {
                <$type>::serialize(self, serializer)
            }
        }

        impl<'de $(, $schedule: $($bound +)+ serde::Deserialize<'de>)?> serde::Deserialize<'de> for $type {
            fn deserialize<R: serde::Deserializer<'de>>(reader: R) -> Result<Self, R::Error> {
                let value = <$type>::deserialize(reader)?;
                crate::settings::Settings::check(&value).map_err(serde::de::Error::custom)?;
                Ok(value)
            }
        }
    };
}

/// Builder, setters, accessors and checked reading of a type with private fields: each setting and what it
/// means is stated once. The type has serde derives with `remote = "Self"`, a default, and implements
/// [`Settings`].
macro_rules! settings {
    ($type:ident { $($(#[$doc:meta])* $name:ident: $kind:ty,)* }) => {
        crate::settings::checked_serde!($type);
        crate::settings::builder!($type);

        impl crate::settings::Builder<$type> {
            $($(#[$doc])*
            pub fn $name(mut self, $name: $kind) -> Self {
                self.settings.$name = $name;
                self
            })*
        }

        impl $type {
            $($(#[$doc])*
            pub fn $name(&self) -> $kind {
                self.$name
            })*
        }
    };
}

/// `builder` and `to_builder` of a type.
macro_rules! builder {
    ($type:ty) => {
        impl $type {
            /// A builder that starts from the default.
            pub fn builder() -> crate::settings::Builder<Self> {
                Self::default().to_builder()
            }

            /// A builder that starts from these settings.
            pub fn to_builder(&self) -> crate::settings::Builder<Self> {
                #[allow(clippy::clone_on_copy, reason = "not every type of settings is Copy")]
                crate::settings::Builder { settings: self.clone() }
            }
        }
    };
}

pub(crate) use {builder, checked_serde, settings};
