//! The rules of sessions, logins and operations in short, to compare the module's answers with.
//! PKCS#11 3.2, "Session management functions" and "Conventions for functions returning output in
//! a variable-length buffer".

use cryptoki_sys as ck;

/// An operation of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Idle,
    Ready,
    Streaming,
}

/// What a call asks of its operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Begins it.
    Init,
    /// …Init without a mechanism: ends it.
    Cancel,
    /// Takes a part.
    Update,
    /// Takes everything in one call.
    Whole,
    /// Ends it after the parts.
    Final,
}

/// One kind of operation each, as the places in `Session::operations`.
pub(crate) const FIND: usize = 0;
pub(crate) const DIGEST: usize = 1;
pub(crate) const SIGN: usize = 2;
pub(crate) const ENCRYPT: usize = 3;
pub(crate) const VERIFY: usize = 4;
pub(crate) const VERIFY_SIGNATURE: usize = 5;
/// How many kinds there are.
const KINDS: usize = 6;
/// The flags of C_SessionCancel for them.
const CANCEL_FLAGS: [ck::CK_FLAGS; KINDS] = [
    ck::CKF_FIND_OBJECTS,
    ck::CKF_DIGEST,
    ck::CKF_SIGN,
    ck::CKF_ENCRYPT,
    ck::CKF_VERIFY,
    ck::CKF_VERIFY,
];

/// Signatures of one message after another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Messages {
    Idle,
    Between,
    Within,
}

/// What a call asks of messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MessageStep {
    Init,
    Cancel,
    Whole,
    Begin,
    Part,
    Last,
    Final,
}

/// A session that is open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) handle: ck::CK_SESSION_HANDLE,
    pub(crate) read_write: bool,
    operations: [State; KINDS],
    messages: Messages,
}

/// Everything that the rules depend on, for one token.
#[derive(Default, Debug)]
pub(crate) struct Model {
    pub(crate) sessions: Vec<Session>,
    /// Who is logged in: CKU_USER or CKU_SO.
    pub(crate) role: Option<ck::CK_USER_TYPE>,
}

impl Model {
    /// What C_OpenSession must answer.
    pub(crate) fn opening(&self, read_write: bool) -> ck::CK_RV {
        match self.role {
            Some(ck::CKU_SO) if !read_write => ck::CKR_SESSION_READ_WRITE_SO_EXISTS,
            _ => ck::CKR_OK,
        }
    }

    pub(crate) fn opened(&mut self, handle: ck::CK_SESSION_HANDLE, read_write: bool) {
        let (operations, messages) = ([State::Idle; KINDS], Messages::Idle);
        self.sessions.push(Session { handle, read_write, operations, messages });
    }

    /// The last session to close logs out.
    pub(crate) fn closed(&mut self, index: usize) {
        self.sessions.remove(index);
        if self.sessions.is_empty() {
            self.role = None;
        }
    }

    /// What C_Login must answer.
    pub(crate) fn login(&self, who: ck::CK_USER_TYPE, right: bool) -> ck::CK_RV {
        let read_only = self.sessions.iter().any(|session| !session.read_write);
        match self.role {
            _ if who == ck::CKU_SO && read_only => ck::CKR_SESSION_READ_ONLY_EXISTS,
            Some(role) if role == who => ck::CKR_USER_ALREADY_LOGGED_IN,
            Some(_) => ck::CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
            None if right => ck::CKR_OK,
            None => ck::CKR_PIN_INCORRECT,
        }
    }

    /// What C_Logout must answer. It ends every operation.
    pub(crate) fn logout(&mut self) -> ck::CK_RV {
        if self.role.take().is_none() {
            return ck::CKR_USER_NOT_LOGGED_IN;
        }
        for session in &mut self.sessions {
            session.operations = [State::Idle; KINDS];
            session.messages = Messages::Idle;
        }
        ck::CKR_OK
    }

    /// What CK_SESSION_INFO must say of a session.
    pub(crate) fn state(&self, session: &Session) -> ck::CK_STATE {
        match (session.read_write, self.role) {
            (false, None) => ck::CKS_RO_PUBLIC_SESSION,
            (true, None) => ck::CKS_RW_PUBLIC_SESSION,
            (true, Some(ck::CKU_SO)) => ck::CKS_RW_SO_FUNCTIONS,
            (true, Some(_)) => ck::CKS_RW_USER_FUNCTIONS,
            (false, Some(_)) => ck::CKS_RO_USER_FUNCTIONS,
        }
    }

    /// Checks an answer about an operation, and takes over what became of it. `told` if the
    /// caller lent no room, so that it can only have learned a length.
    #[track_caller]
    pub(crate) fn step(
        &mut self,
        index: usize,
        kind: usize,
        step: Step,
        rv: ck::CK_RV,
        told: bool,
    ) {
        let operations = &mut self.sessions[index].operations;
        // Two kinds of verification are never active together.
        let beside = match kind {
            VERIFY => operations[VERIFY_SIGNATURE] != State::Idle,
            VERIFY_SIGNATURE => operations[VERIFY] != State::Idle,
            _ => false,
        };
        let state = &mut operations[kind];
        let before = *state;
        let ok = rv == ck::CKR_OK;
        let kept = rv == ck::CKR_BUFFER_TOO_SMALL || (ok && told);
        let must = match (before, step) {
            (_, Step::Init) if beside => Some(ck::CKR_OPERATION_ACTIVE),
            (State::Idle, Step::Init) => None,
            (_, Step::Init) => Some(ck::CKR_OPERATION_ACTIVE),
            (State::Idle, Step::Cancel) => Some(ck::CKR_ARGUMENTS_BAD),
            (_, Step::Cancel) => Some(ck::CKR_OK),
            (State::Idle, _) => Some(ck::CKR_OPERATION_NOT_INITIALIZED),
            (State::Streaming, Step::Whole) => Some(ck::CKR_OPERATION_ACTIVE),
            _ => None,
        };
        let answer = super::answers::name(rv);
        assert!(must.is_none_or(|must| must == rv), "{step:?} in {before:?} answered {answer}");
        *state = match step {
            Step::Init if before == State::Idle && ok => State::Ready,
            Step::Init => before,
            Step::Cancel => State::Idle,
            _ if before == State::Idle => State::Idle,
            _ if kept => before,
            Step::Update if ok => State::Streaming,
            Step::Update | Step::Whole | Step::Final => State::Idle,
        };
    }

    /// C_DigestEncryptUpdate: both go on, or neither, or both end.
    #[track_caller]
    pub(crate) fn both(&mut self, index: usize, rv: ck::CK_RV, told: bool) {
        let operations = &mut self.sessions[index].operations;
        let active = operations[DIGEST] != State::Idle && operations[ENCRYPT] != State::Idle;
        let answer = super::answers::name(rv);
        let must = ck::CKR_OPERATION_NOT_INITIALIZED;
        assert_eq!(active, rv != must, "two operations {operations:?} answered {answer}");
        if !active || rv == ck::CKR_BUFFER_TOO_SMALL || (rv == ck::CKR_OK && told) {
            return;
        }
        let after = if rv == ck::CKR_OK { State::Streaming } else { State::Idle };
        operations[DIGEST] = after;
        operations[ENCRYPT] = after;
    }

    /// Checks an answer about messages, and takes over what became of them.
    #[track_caller]
    pub(crate) fn message(&mut self, index: usize, step: MessageStep, rv: ck::CK_RV, told: bool) {
        let state = &mut self.sessions[index].messages;
        let before = *state;
        let ok = rv == ck::CKR_OK;
        let kept = rv == ck::CKR_BUFFER_TOO_SMALL || (ok && told);
        let idle = Some(ck::CKR_OPERATION_NOT_INITIALIZED);
        let must = match (before, step) {
            (Messages::Idle, MessageStep::Init) => None,
            (_, MessageStep::Init) => Some(ck::CKR_OPERATION_ACTIVE),
            (Messages::Idle, MessageStep::Cancel) => Some(ck::CKR_ARGUMENTS_BAD),
            (_, MessageStep::Cancel) => Some(ck::CKR_OK),
            (Messages::Idle, _) => idle,
            (Messages::Between, MessageStep::Part | MessageStep::Last) => idle,
            (Messages::Between, MessageStep::Final) => Some(ck::CKR_OK),
            (Messages::Between, _) => None,
            (Messages::Within, MessageStep::Part | MessageStep::Last) => None,
            (Messages::Within, _) => Some(ck::CKR_OPERATION_ACTIVE),
        };
        let answer = super::answers::name(rv);
        assert!(must.is_none_or(|must| must == rv), "{step:?} {before:?} answered {answer}");
        *state = match (before, step) {
            (Messages::Idle, MessageStep::Init) if ok => Messages::Between,
            (_, MessageStep::Cancel) => Messages::Idle,
            (Messages::Between, MessageStep::Final) => Messages::Idle,
            (Messages::Between, MessageStep::Begin) if ok => Messages::Within,
            (Messages::Within, MessageStep::Last) if !kept => Messages::Between,
            (Messages::Within, MessageStep::Part) if !ok => Messages::Between,
            _ => before,
        };
    }

    /// C_FindObjects changes nothing.
    #[track_caller]
    pub(crate) fn found(&self, index: usize, rv: ck::CK_RV) {
        let idle = self.sessions[index].operations[FIND] == State::Idle;
        let must = if idle { ck::CKR_OPERATION_NOT_INITIALIZED } else { ck::CKR_OK };
        assert_eq!(rv, must, "C_FindObjects");
    }

    /// C_SessionCancel.
    pub(crate) fn cancelled(&mut self, index: usize, flags: ck::CK_FLAGS) {
        let operations = &mut self.sessions[index].operations;
        for (state, flag) in operations.iter_mut().zip(CANCEL_FLAGS) {
            if flags & flag != 0 {
                *state = State::Idle;
            }
        }
        if flags & ck::CKF_MESSAGE_SIGN != 0 {
            self.sessions[index].messages = Messages::Idle;
        }
    }
}
