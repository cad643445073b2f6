using CdnEdge.Lab.Commands;

return args switch
{
    ["failover", .. var rest] => await FailoverCommand.RunAsync(rest),
    ["crowd", .. var rest] => await CrowdCommand.RunAsync(rest),
    ["soak", .. var rest] => await SoakCommand.RunAsync(rest),
    _ => Usage.Of("usage: cdnedge-lab failover|crowd|soak [options]; each tells its options if it gets a wrong one"),
};
