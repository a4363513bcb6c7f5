//! The standard's return values as a table, and the one error type: a value with its reason.
//!
//! Lower floors have small errors of their own and one `From` each; the reason goes to the
//! diagnostic log and never holds a secret. PKCS#11 3.2, "Function return values".

use std::borrow::Cow;

use crate::cryptoki;

/// Makes `Rv` from the standard's numbers, so that a value and its name cannot drift apart.
macro_rules! return_values {
    ($($name:ident = $number:ident,)*) => {
        /// A return value other than `CKR_OK`: the standard's, and two of ours.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Rv { $(
            #[doc = stringify!($number)]
            $name,
        )* }

        impl Rv {
            /// The standard's names of all.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($number),)*];

            /// The number that the caller sees.
            #[must_use]
            pub const fn code(self) -> u64 {
                match self { $(Self::$name => cryptoki::$number,)* }
            }

            /// The standard's name, for messages.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($number),)* }
            }
        }
    };
}

return_values! {
    HostMemory = CKR_HOST_MEMORY,
    SlotIdInvalid = CKR_SLOT_ID_INVALID,
    GeneralError = CKR_GENERAL_ERROR,
    FunctionFailed = CKR_FUNCTION_FAILED,
    ArgumentsBad = CKR_ARGUMENTS_BAD,
    NoEvent = CKR_NO_EVENT,
    NeedToCreateThreads = CKR_NEED_TO_CREATE_THREADS,
    CantLock = CKR_CANT_LOCK,
    AttributeReadOnly = CKR_ATTRIBUTE_READ_ONLY,
    AttributeSensitive = CKR_ATTRIBUTE_SENSITIVE,
    AttributeTypeInvalid = CKR_ATTRIBUTE_TYPE_INVALID,
    AttributeValueInvalid = CKR_ATTRIBUTE_VALUE_INVALID,
    ActionProhibited = CKR_ACTION_PROHIBITED,
    DataInvalid = CKR_DATA_INVALID,
    DataLenRange = CKR_DATA_LEN_RANGE,
    DeviceError = CKR_DEVICE_ERROR,
    DeviceMemory = CKR_DEVICE_MEMORY,
    DeviceRemoved = CKR_DEVICE_REMOVED,
    EncryptedDataInvalid = CKR_ENCRYPTED_DATA_INVALID,
    EncryptedDataLenRange = CKR_ENCRYPTED_DATA_LEN_RANGE,
    AeadDecryptFailed = CKR_AEAD_DECRYPT_FAILED,
    FunctionCanceled = CKR_FUNCTION_CANCELED,
    FunctionNotParallel = CKR_FUNCTION_NOT_PARALLEL,
    FunctionNotSupported = CKR_FUNCTION_NOT_SUPPORTED,
    KeyHandleInvalid = CKR_KEY_HANDLE_INVALID,
    KeySizeRange = CKR_KEY_SIZE_RANGE,
    KeyTypeInconsistent = CKR_KEY_TYPE_INCONSISTENT,
    KeyNotNeeded = CKR_KEY_NOT_NEEDED,
    KeyChanged = CKR_KEY_CHANGED,
    KeyNeeded = CKR_KEY_NEEDED,
    KeyIndigestible = CKR_KEY_INDIGESTIBLE,
    KeyFunctionNotPermitted = CKR_KEY_FUNCTION_NOT_PERMITTED,
    KeyNotWrappable = CKR_KEY_NOT_WRAPPABLE,
    KeyUnextractable = CKR_KEY_UNEXTRACTABLE,
    MechanismInvalid = CKR_MECHANISM_INVALID,
    MechanismParamInvalid = CKR_MECHANISM_PARAM_INVALID,
    ObjectHandleInvalid = CKR_OBJECT_HANDLE_INVALID,
    OperationActive = CKR_OPERATION_ACTIVE,
    OperationNotInitialized = CKR_OPERATION_NOT_INITIALIZED,
    OperationCancelFailed = CKR_OPERATION_CANCEL_FAILED,
    PinIncorrect = CKR_PIN_INCORRECT,
    PinInvalid = CKR_PIN_INVALID,
    PinLenRange = CKR_PIN_LEN_RANGE,
    PinExpired = CKR_PIN_EXPIRED,
    PinLocked = CKR_PIN_LOCKED,
    SessionClosed = CKR_SESSION_CLOSED,
    SessionCount = CKR_SESSION_COUNT,
    SessionHandleInvalid = CKR_SESSION_HANDLE_INVALID,
    SessionParallelNotSupported = CKR_SESSION_PARALLEL_NOT_SUPPORTED,
    SessionAsyncNotSupported = CKR_SESSION_ASYNC_NOT_SUPPORTED,
    SessionReadOnly = CKR_SESSION_READ_ONLY,
    SessionExists = CKR_SESSION_EXISTS,
    SessionReadOnlyExists = CKR_SESSION_READ_ONLY_EXISTS,
    SessionReadWriteSoExists = CKR_SESSION_READ_WRITE_SO_EXISTS,
    SignatureInvalid = CKR_SIGNATURE_INVALID,
    SignatureLenRange = CKR_SIGNATURE_LEN_RANGE,
    TemplateIncomplete = CKR_TEMPLATE_INCOMPLETE,
    TemplateInconsistent = CKR_TEMPLATE_INCONSISTENT,
    TokenNotPresent = CKR_TOKEN_NOT_PRESENT,
    TokenNotRecognized = CKR_TOKEN_NOT_RECOGNIZED,
    TokenWriteProtected = CKR_TOKEN_WRITE_PROTECTED,
    UnwrappingKeyHandleInvalid = CKR_UNWRAPPING_KEY_HANDLE_INVALID,
    UnwrappingKeySizeRange = CKR_UNWRAPPING_KEY_SIZE_RANGE,
    UnwrappingKeyTypeInconsistent = CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT,
    UserAlreadyLoggedIn = CKR_USER_ALREADY_LOGGED_IN,
    UserNotLoggedIn = CKR_USER_NOT_LOGGED_IN,
    UserPinNotInitialized = CKR_USER_PIN_NOT_INITIALIZED,
    UserTypeInvalid = CKR_USER_TYPE_INVALID,
    UserAnotherAlreadyLoggedIn = CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    UserTooManyTypes = CKR_USER_TOO_MANY_TYPES,
    WrappedKeyInvalid = CKR_WRAPPED_KEY_INVALID,
    WrappedKeyLenRange = CKR_WRAPPED_KEY_LEN_RANGE,
    WrappingKeyHandleInvalid = CKR_WRAPPING_KEY_HANDLE_INVALID,
    WrappingKeySizeRange = CKR_WRAPPING_KEY_SIZE_RANGE,
    WrappingKeyTypeInconsistent = CKR_WRAPPING_KEY_TYPE_INCONSISTENT,
    RandomSeedNotSupported = CKR_RANDOM_SEED_NOT_SUPPORTED,
    RandomNoRng = CKR_RANDOM_NO_RNG,
    DomainParamsInvalid = CKR_DOMAIN_PARAMS_INVALID,
    CurveNotSupported = CKR_CURVE_NOT_SUPPORTED,
    BufferTooSmall = CKR_BUFFER_TOO_SMALL,
    SavedStateInvalid = CKR_SAVED_STATE_INVALID,
    InformationSensitive = CKR_INFORMATION_SENSITIVE,
    StateUnsaveable = CKR_STATE_UNSAVEABLE,
    CryptokiNotInitialized = CKR_CRYPTOKI_NOT_INITIALIZED,
    CryptokiAlreadyInitialized = CKR_CRYPTOKI_ALREADY_INITIALIZED,
    PublicKeyInvalid = CKR_PUBLIC_KEY_INVALID,
    FunctionRejected = CKR_FUNCTION_REJECTED,
    KeyExhausted = CKR_KEY_EXHAUSTED,
    OperationNotValidated = CKR_OPERATION_NOT_VALIDATED,
    TokenNotInitialized = CKR_TOKEN_NOT_INITIALIZED,
    ParameterSetNotSupported = CKR_PARAMETER_SET_NOT_SUPPORTED,
    ClavigerDowngradeRefused = CKR_CLAVIGER_DOWNGRADE_REFUSED,
    ClavigerBundleIncomplete = CKR_CLAVIGER_BUNDLE_INCOMPLETE,
    ClavigerFormatUnknown = CKR_CLAVIGER_FORMAT_UNKNOWN,
}

impl Rv {
    /// The error with this value and a reason for whoever has to find out why.
    pub fn because(self, why: impl Into<Cow<'static, str>>) -> Error {
        Error { rv: self, why: why.into(), place: None }
    }
}

/// A failed call: what the caller is told, and why. The reason is never a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error {
    /// What the caller is told.
    pub rv: Rv,
    /// Why, in words, for the diagnostic log.
    pub why: Cow<'static, str>,
    /// Where, for whoever reads that log with a program.
    pub place: Option<Box<Place>>,
}

/// Where a call failed, as far as that is known.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Place {
    /// The mechanism's name.
    pub mechanism: Option<&'static str>,
    /// The structure of the mechanism's parameter, if that is at fault.
    pub parameter: Option<&'static str>,
    /// CKA_UNIQUE_ID of the object that was used or changed.
    pub key: Option<String>,
    /// The session's handle.
    pub session: Option<u64>,
    /// The slot's number.
    pub slot: Option<u64>,
}

impl Error {
    /// The same error, at the parameter of a mechanism.
    #[must_use]
    pub fn at_parameter(self, mechanism: &'static str, parameter: &'static str) -> Self {
        let place = self.place.unwrap_or_default();
        let (mechanism, parameter) = (Some(mechanism), Some(parameter));
        Self { place: Some(Box::new(Place { mechanism, parameter, ..*place })), ..self }
    }

    /// The attribute at fault: reasons name it by the standard's name.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut words = self.why.split(|c: char| !is_part(c));
        words.find(|word| word.starts_with("CKA_") && word.len() > 4)
    }

    /// What is known of the place, in words, in brackets.
    #[must_use]
    pub fn circumstances(&self) -> String {
        let Some(place) = &self.place else { return String::new() };
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let known = [
            ("mechanism", place.mechanism.map(str::to_owned)),
            ("parameter", place.parameter.map(str::to_owned)),
            ("attribute", self.attribute().map(str::to_owned)),
            ("key", place.key.clone()),
            ("session", number(place.session)),
            ("slot", number(place.slot)),
        ];
        let known = known.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let known: Vec<String> = known.map(|(name, value)| format!("{name}={value}")).collect();
        format!(" [{}]", known.join(" "))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}{}", self.rv.name(), self.why, self.circumstances())
    }
}

impl std::error::Error for Error {}

/// What a call of the safe floors gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;
