-- Guards that are asked only about the rows that they can refuse, and no index beside another that
-- begins with the same columns.

DROP TRIGGER policy_has_exposure ON fulfillments;
CREATE CONSTRAINT TRIGGER policy_has_exposure AFTER UPDATE OF basis ON fulfillments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.basis = 'policy')
    EXECUTE FUNCTION policy_has_exposure();

DROP TRIGGER settled_once ON fulfillments;
CREATE TRIGGER settled_once BEFORE UPDATE ON fulfillments
    FOR EACH ROW WHEN (OLD.settlement IS NOT NULL) EXECUTE FUNCTION settled_once();

DROP INDEX fulfillments_unsettled;  -- fulfillments_open is the same
DROP INDEX attempts_payment;  -- attempts_number begins with it
