use crate::channel::Call;
use crate::model::message::Message;

pub fn lower(_message: &Message, _tap: Option<&str>) -> Vec<Call> {
    vec![]
}
