from rdklib import ComplianceType, ConfigRule, Evaluation, Evaluator


class LogFileValidation(ConfigRule):
    def evaluate_change(self, event, client_factory, configuration_item, valid_rule_parameters):
        if configuration_item["configuration"]["logFileValidationEnabled"]:
            return [Evaluation(ComplianceType.COMPLIANT)]
        return [Evaluation(ComplianceType.NON_COMPLIANT, annotation="Trail has no log file validation")]


def lambda_handler(event, context):
    return Evaluator(LogFileValidation(), ["AWS::CloudTrail::Trail"]).handle(event, context)
