using BenchmarkDotNet.Running;

// dotnet run -c Release --project bench/Micro -- --filter '*Capture*'
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
