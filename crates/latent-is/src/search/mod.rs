//! Parts that the searches of several estimators share.

pub(crate) mod conditional;
pub(crate) mod explore;
pub(crate) mod level_size;
pub(crate) mod pool;
pub(crate) mod smooth;
