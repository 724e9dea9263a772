"""The choices that mmtrain ships: a folder of YAML files for each group."""
