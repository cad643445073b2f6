using CdnEdge.Commands;

return await new CommandLine(Console.Out, Console.Error, Environment.GetEnvironmentVariables()).RunAsync(args);
