//! What clients ask over a socket.

use serde_json::{Value, json};

use super::state::Venue;

/// Streams of one connection.
const STREAMS_MAX: usize = 1024;

/// Answers a text from a client.
pub(super) fn answer(venue: &mut Venue, client: u64, text: &str) -> String {
    let asked: Value = match serde_json::from_str(text) {
        Ok(asked) => asked,
        Err(error) => return refusal(3, &format!("Invalid JSON: {error}"), &Value::Null),
    };
    let id = asked.get("id").cloned().unwrap_or(Value::Null);
    match act(venue, client, &asked) {
        Ok(result) => json!({"result": result, "id": id}).to_string(),
        Err((code, message)) => refusal(code, &message, &id),
    }
}

fn refusal(code: i64, message: &str, id: &Value) -> String {
    let mut answer = json!({"code": code, "msg": message});
    if !id.is_null() {
        answer["id"] = id.clone();
    }
    answer.to_string()
}

fn act(venue: &mut Venue, client: u64, asked: &Value) -> Result<Value, (i64, String)> {
    let invalid = |what: &str| (2, format!("Invalid request: {what}"));
    let asked = asked.as_object().ok_or_else(|| invalid("request must be an object"))?;
    if let Some(other) =
        asked.keys().find(|key| !["method", "params", "id"].contains(&key.as_str()))
    {
        return Err(invalid(&format!("unknown field `{other}`")));
    }
    let is_id = |id: &Value| id.is_null() || id.is_u64() || id.is_i64() || id.is_string();
    if !asked.get("id").is_none_or(is_id) {
        return Err(invalid("request ID must be an unsigned integer or a string"));
    }
    let method = asked.get("method").and_then(Value::as_str);
    let method = method.ok_or_else(|| invalid("missing field `method`"))?;
    let params = asked.get("params").and_then(Value::as_array);
    let need = || params.ok_or_else(|| invalid("property name must be a string"));
    let streams = || -> Result<Vec<&str>, (i64, String)> {
        let names: Option<Vec<&str>> = need()?.iter().map(Value::as_str).collect();
        names.ok_or_else(|| invalid("params must be strings"))
    };
    match method {
        "SUBSCRIBE" => {
            let names = streams()?;
            let has = venue.clients.get(&client).map_or(0, |client| client.streams.len());
            if has + names.len() > STREAMS_MAX {
                return Err(invalid(&format!("more than {STREAMS_MAX} streams")));
            }
            names.into_iter().for_each(|name| venue.subscribe(client, name));
            Ok(Value::Null)
        }
        "UNSUBSCRIBE" => {
            streams()?.into_iter().for_each(|name| venue.unsubscribe(client, name));
            Ok(Value::Null)
        }
        "LIST_SUBSCRIPTIONS" => {
            let streams = venue.clients.get(&client).map(|client| &client.streams);
            Ok(json!(streams))
        }
        "SET_PROPERTY" => match need()?.as_slice() {
            [Value::String(name), Value::Bool(value)] if name == "combined" => {
                if let Some(client) = venue.clients.get_mut(&client) {
                    client.is_combined = *value;
                }
                Ok(Value::Null)
            }
            _ => Err(invalid("unknown property, expected `combined`")),
        },
        "GET_PROPERTY" => match need()?.as_slice() {
            [Value::String(name)] if name == "combined" => {
                Ok(json!(venue.clients.get(&client).is_some_and(|client| client.is_combined)))
            }
            _ => Err(invalid("unknown property, expected `combined`")),
        },
        other => Err(invalid(&format!(
            "unknown variant `{other}`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, \
             `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"
        ))),
    }
}
