mod accounts;
mod bars;
mod linked;
mod resting;
mod scenes;
mod taking;
