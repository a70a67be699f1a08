mod resting;
mod scenes;
mod taking;
