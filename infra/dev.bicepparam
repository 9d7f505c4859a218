using 'main.bicep'

import { developmentSize } from 'development.bicep'

param environmentName = 'dev'
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL', 'archivio-avvisi@example.invalid')]
// No such group exists, so a deployment without the variable is refused.
param operatorsGroupId = readEnvironmentVariable('OPERATORS_GROUP_ID', '00000000-0000-0000-0000-000000000003')
param budgetStart = readEnvironmentVariable('BUDGET_START', '2027-01-01')
param size = developmentSize
