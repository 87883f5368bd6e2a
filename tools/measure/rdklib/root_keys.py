from rdklib import ComplianceType, ConfigRule, Evaluation, Evaluator


class RootKeys(ConfigRule):
    def evaluate_periodic(self, event, client_factory, valid_rule_parameters):
        summary = client_factory.build_client("iam").get_account_summary()["SummaryMap"]
        keys = summary["AccountAccessKeysPresent"]
        if keys:
            return [Evaluation(ComplianceType.NON_COMPLIANT, event["accountId"], "AWS::::Account", annotation=f"Root user has {keys} access key(s)")]
        return [Evaluation(ComplianceType.COMPLIANT, event["accountId"], "AWS::::Account")]


def lambda_handler(event, context):
    return Evaluator(RootKeys()).handle(event, context)
