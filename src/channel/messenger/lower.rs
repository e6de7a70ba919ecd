use crate::channel::Call;
use crate::model::message::Message;

pub fn lower(_message: &Message) -> Vec<Call> {
    vec![]
}
